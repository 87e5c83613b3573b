# The compiler flags of the whole tree. Only project(), options and this file decide how code is compiled.
include_guard(GLOBAL)
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endif()
# Line tables are what sanitizers and most debugging need; all of -g costs a quarter of the compile time.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(MPQUIC_CCACHE ccache)
mark_as_advanced(MPQUIC_CCACHE)
if(MPQUIC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MPQUIC_CCACHE}")
endif()

# No fused multiply-add: floating point in reports and congestion control gives the same bits on every machine.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion -Wno-missing-field-initializers -Werror -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 at -O3 sees overlaps in inlined std::string concatenation (GCC bug 105651), and overflows in fmt, that are
  # not there.
  add_compile_options(-Wno-restrict -Wno-stringop-overflow)
endif()
# Nobody replaces our functions by others when we are linked into a shared object: calls within a file may be inlined.
add_compile_options(-fno-semantic-interposition)
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
# Frame pointers are for profilers and sanitizers; release builds do without their share of every call.
add_compile_options($<$<NOT:$<CONFIG:Release>>:-fno-omit-frame-pointer>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Clang 14 cannot compile libstdc++ 12's <expected> at all (P0848), Clang 16 with this help.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-include> $<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/cmake/clang_concepts.h>)
endif()
if(MPQUIC_EXPENSIVE_CHECKS)
  add_compile_definitions(MPQUIC_EXPENSIVE_CHECKS)
endif()

# vptr checks need RTTI in every object, and stack/ has none.
if(MPQUIC_SANITIZE STREQUAL "thread")
  set(MPQUIC_SANITIZERS thread)
elseif(MPQUIC_SANITIZE)
  set(MPQUIC_SANITIZERS address,undefined)
endif()
if(MPQUIC_SANITIZERS)
  add_compile_options(-fsanitize=${MPQUIC_SANITIZERS} -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MPQUIC_SANITIZERS} -fno-sanitize=vptr)
endif()
if(MPQUIC_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "MPQUIC_FUZZ needs clang++: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(MPQUIC_PROFILE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "MPQUIC_PROFILE needs g++")
  endif()
  set(profile_dir "${CMAKE_BINARY_DIR}/profile")
  if(MPQUIC_PROFILE STREQUAL "TAKE")
    add_compile_options(-fprofile-generate=${profile_dir} -fprofile-update=prefer-atomic)
    add_link_options(-fprofile-generate=${profile_dir})
  elseif(MPQUIC_PROFILE STREQUAL "USE")
    # What the training did not reach is compiled as ever, not for size; new code in an old profile is no error, and some of
    # what GCC then says has no name to switch it off by.
    add_compile_options(-fprofile-use=${profile_dir} -fprofile-partial-training -Wno-missing-profile -Wno-coverage-mismatch -Wno-error)
    # Worth a hundredth together: better alias analysis, and calls of libraries without a stop in between.
    add_compile_options(-fipa-pta -fno-plt)
  else()
    message(FATAL_ERROR "MPQUIC_PROFILE is OFF, TAKE or USE, not '${MPQUIC_PROFILE}'")
  endif()
endif()
if(MPQUIC_LTO)
  include(CheckIPOSupported)
  check_ipo_supported()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The archives hold machine code too, so that any compiler's linker can use them.
    add_compile_options(-ffat-lto-objects)
  endif()
endif()
