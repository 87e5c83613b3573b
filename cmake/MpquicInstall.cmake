# Programs, libraries, headers, and what find_package(mpquic) needs. The stack and what hosts it (`io`, `link`) ask for
# OpenSSL alone; the simulator is a component with dependencies of its own.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY MPQUIC_ROOMS)
get_property(programs GLOBAL PROPERTY MPQUIC_PROGRAMS)
install(TARGETS mpquic_stack ${rooms} mpquic_io mpquic_link EXPORT mpquicTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/mpquic)
install(TARGETS mpquic_sim EXPORT mpquicSimTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/mpquic)
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
foreach(folder IN ITEMS stack io sim)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mpquic/${folder}
          FILES_MATCHING PATTERN "*.h" PATTERN peers EXCLUDE PATTERN ns3 EXCLUDE)
endforeach()
install(FILES cmake/clang_concepts.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mpquic/cmake)

# Found relative to the programs (sim/scenario/scenario_files.h).
install(DIRECTORY scenarios/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mpquic/scenarios COMPONENT scenarios
        FILES_MATCHING PATTERN "*.yaml" PATTERN "schema.json" PATTERN "SCHEMA.md")

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mpquic)
install(EXPORT mpquicTargets NAMESPACE mpquic:: DESTINATION ${config_dir})
install(EXPORT mpquicSimTargets NAMESPACE mpquic:: DESTINATION ${config_dir})
configure_package_config_file(cmake/mpquicConfig.cmake.in "${CMAKE_BINARY_DIR}/mpquicConfig.cmake"
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file("${CMAKE_BINARY_DIR}/mpquicConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/mpquicConfig.cmake" "${CMAKE_BINARY_DIR}/mpquicConfigVersion.cmake" cmake/FindIpsecMb.cmake
        DESTINATION ${config_dir})
