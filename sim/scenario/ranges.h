// "1ms..1s": a value that a scenario leaves to the seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mpquic::sim {

/// What `text` comes down to under this seed, if it is a range: two values of one kind (times, rates, sizes,
/// percentages or plain numbers), the smaller first. Log-uniform where both ends are above zero and more than a factor
/// of ten apart, uniform otherwise. `key` is the dotted path of the value: each has a random stream of its own, so that
/// another range in the file moves none. Drawn to four digits, or to whole numbers where both ends are whole.
[[nodiscard]] std::optional<std::string> draw_from_range(std::string_view text, std::string_view key,
                                                         std::uint64_t seed);

}  // namespace mpquic::sim
