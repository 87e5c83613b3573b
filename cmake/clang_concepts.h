// Forced in before everything when Clang compiles: Clang 16 announces concepts too modestly for libstdc++ 12's <expected>.
#pragma clang system_header
#undef __cpp_concepts
#define __cpp_concepts 202002L
