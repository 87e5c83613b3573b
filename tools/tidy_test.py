#!/usr/bin/python3
"""What tidy.py must find, and what it must leave alone."""
import unittest

import tidy


def rules(name, source, header=""):
    return [finding[2] for finding in tidy.check_source(name, source, header)]


class RoomTest(unittest.TestCase):
    def test_a_room_may_include_what_is_below_it(self):
        self.assertEqual(rules("stack/packet/a.cc", '#include "stack/base/time.h"\n#include "stack/crypto/aead.h"\n'), [])

    def test_siblings_never_include_each_other(self):
        self.assertEqual(rules("stack/stream/a.cc", '#include "stack/cid/local_cids.h"\n'), ["room"])

    def test_nothing_in_the_core_points_outward(self):
        self.assertEqual(rules("stack/conn/a.cc", '#include "sim/network/world.h"\n'), ["room"])

    def test_a_scheduler_sees_the_path_view_only(self):
        self.assertEqual(rules("stack/sched/a.cc", '#include "stack/path/path_view.h"\n'), [])
        self.assertEqual(rules("stack/sched/a.cc", '#include "stack/path/path_manager.h"\n'), ["room"])

    def test_the_link_model_stands_alone(self):
        self.assertEqual(rules("sim/link/a.cc", '#include "sim/base/event_queue.h"\n'), ["room"])
        self.assertEqual(rules("sim/link/a.cc", '#include "sim/base/random_streams.h"\n'), [])
        self.assertEqual(rules("sim/link/a.cc", '#include "stack/conn/connection.h"\n'), ["room"])

    def test_rooms_of_the_simulator_look_down_only(self):
        self.assertEqual(rules("sim/run/a.cc", '#include "sim/network/world.h"\n#include "stack/conn/connection.h"\n'), [])
        self.assertEqual(rules("sim/network/a.cc", '#include "sim/run/simulation.h"\n'), ["room"])
        self.assertEqual(rules("sim/scenario/a.cc", '#include "sim/peers/ngtcp2_options.h"\n'), [])
        self.assertEqual(rules("sim/scenario/a.cc", '#include "sim/peers/ngtcp2_endpoint.h"\n'), ["room"])

    def test_io_needs_the_vocabulary_only(self):
        self.assertEqual(rules("io/a.cc", '#include "stack/base/packet_io.h"\n'), [])
        self.assertEqual(rules("io/a.cc", '#include "stack/conn/connection.h"\n'), ["room"])

    def test_includes_are_relative_to_the_root(self):
        self.assertEqual(rules("stack/wire/a.cc", '#include "varint.h"\n'), ["include"])


class BannedTest(unittest.TestCase):
    def test_the_core_has_no_clock(self):
        self.assertEqual(rules("stack/conn/a.cc", "auto t = std::chrono::steady_clock::now();\n"), ["clock"])
        self.assertEqual(rules("io/a.cc", "auto t = std::chrono::steady_clock::now();\n"), [])

    def test_the_core_has_no_randomness_of_its_own(self):
        self.assertEqual(rules("stack/conn/a.cc", "std::random_device device;\n"), ["random"])
        self.assertEqual(rules("stack/conn/a.cc", "std::uniform_int_distribution<int> d;\n"), ["random"])

    def test_words_in_comments_and_strings_are_not_calls(self):
        self.assertEqual(rules("stack/conn/a.cc", '// never throw\nauto s = "socket(now)"; /* std::thread */\n'), [])

    def test_the_core_opens_no_sockets_threads_or_files(self):
        self.assertEqual(rules("stack/conn/a.cc", "int s = socket(1, 2, 3);\n"), ["socket"])
        self.assertEqual(rules("stack/conn/a.cc", "std::mutex m;\n"), ["thread"])
        self.assertEqual(rules("stack/conn/a.cc", "#include <fstream>\n"), ["include"])

    def test_unordered_containers_are_looked_up_but_not_walked(self):
        header = "std::unordered_map<int, int> by_id_;\n"
        self.assertEqual(rules("stack/conn/a.cc", "auto it = by_id_.find(3);\n", header), [])
        self.assertEqual(rules("stack/conn/a.cc", "void f() { for (auto& [k, v] : by_id_) {} }\n", header), ["unordered"])

    def test_unfinished_work_is_found_even_in_comments(self):
        word = "TO" + "DO"
        self.assertEqual(rules("io/a.cc", "// %s: later\n" % word), ["todo"])

    def test_a_reasoned_exception_is_allowed(self):
        self.assertEqual(rules("stack/conn/a.cc", "std::mutex m;  // tidy: allow(thread) the test of the test\n"), [])


class NodiscardTest(unittest.TestCase):
    def test_functions_that_return_errors_are_nodiscard(self):
        self.assertEqual(rules("io/a.h", "#pragma once\nResult<int> f(int a);\n"), ["nodiscard"])
        self.assertEqual(rules("io/a.h", "#pragma once\n[[nodiscard]] Result<int> f(int a);\n"), [])
        self.assertEqual(rules("io/a.h", "#pragma once\nclass A {\n  virtual std::expected<A, B> g() = 0;\n};\n"), ["nodiscard"])

    def test_variables_definitions_and_aliases_are_not_declarations(self):
        self.assertEqual(rules("io/a.cc", "Result<int> A::f(int a) { Result<int> r = g(a); return r; }\n"), [])
        self.assertEqual(rules("io/a.h", "#pragma once\nusing F = std::expected<int, E>;\n"), [])
        self.assertEqual(rules("io/a.cc", "Result<int> declared_elsewhere(int a) { return a; }\n"), [])
        self.assertEqual(rules("io/a.cc", "namespace {\nResult<int> local(int a) { return a; }\n}\n"), ["nodiscard"])
        self.assertEqual(rules("io/a.h", "#pragma once\nstruct A : B {\n  Result<int> f() override;\n};\n"), [])


class ShapeTest(unittest.TestCase):
    def test_headers_start_with_pragma_once(self):
        self.assertEqual(rules("io/a.h", "// Why.\n#pragma once\n"), [])
        self.assertEqual(rules("io/a.h", "#include <vector>\n"), ["pragma-once"])

    def test_long_files_functions_and_parameter_lists(self):
        self.assertEqual(rules("io/a.cc", "int x;\n" * 501), ["file-length"])
        self.assertEqual(rules("io/a.cc", "void f() {\n" + "  g();\n" * 69 + "}\n"), ["function-length"])
        self.assertEqual(rules("io/a.cc", "void f() {\n" + "  g();\n" * 68 + "}\n"), [])
        self.assertEqual(rules("io/a.cc", "void f(int a, int b, std::map<int, int> c, int d, int e, int g) {}\n"), ["parameters"])
        self.assertEqual(rules("io/a.cc", "void f(int a, int b, std::map<int, int> c, int d, int e) {}\n"), [])

    def test_methods_constructors_and_lambdas(self):
        body = "  g();\n" * 70
        source = "class A {\n public:\n  A(int b) : b_(b), c_{b} {\n" + body + "  }\n  int b_; int c_;\n};\n"
        self.assertEqual(rules("io/a.cc", source), ["function-length"])
        self.assertEqual(rules("io/a.cc", "const int table[] = {\n" + "  f(1),\n" * 100 + "};\n"), [])


if __name__ == "__main__":
    unittest.main()
