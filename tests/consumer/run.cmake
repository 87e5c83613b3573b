# cmake -DBUILD=<build directory> -DWORK=<scratch directory> -DGENERATOR=... -DFLAGS=... -DCLANG=<clang++ or nothing>
#       -DREADME=... -P run.cmake
# Installs the build; then configures and builds the consumer against it and downloads something with it, from the
# build's own server over two addresses. Clang compiles the same source; it links it too where nothing is sanitized,
# since the sanitizers' run-time libraries of two compilers do not mix.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
endfunction()

file(READ "${README}" readme)
file(READ "${CMAKE_CURRENT_LIST_DIR}/client.cc" client)
string(FIND "${readme}" "```cpp\n${client}```\n" shown)
if(shown EQUAL -1)
  message(FATAL_ERROR "README shows another client than tests/consumer/client.cc")
endif()

file(REMOVE_RECURSE "${WORK}")
run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
run(${CMAKE_COMMAND} -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
    "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build "${WORK}/build" --target client)
run("${CMAKE_CURRENT_LIST_DIR}/download.sh" "${WORK}/prefix/bin/mpquic-perf" "${WORK}/build/client")

if(CLANG)
  run(${CMAKE_COMMAND} -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/clang" -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
      "-DCMAKE_CXX_COMPILER=${CLANG}")
  if(FLAGS)
    run(${CMAKE_COMMAND} --build "${WORK}/clang" --target compiles)
  else()
    run(${CMAKE_COMMAND} --build "${WORK}/clang" --target client)
    run("${CMAKE_CURRENT_LIST_DIR}/download.sh" "${WORK}/prefix/bin/mpquic-perf" "${WORK}/clang/client")
  endif()
endif()
