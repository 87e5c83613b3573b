# ns-3 3.37 as Debian packages it. libns3-dev alone is enough: its own CMake and pkg-config files need packages that it does
# not depend on. Gives Ns3_FOUND, Ns3_INCLUDE_DIR and, for each component, the target Ns3::<component>.
find_path(Ns3_INCLUDE_DIR ns3/simulator.h)
foreach(component IN LISTS Ns3_FIND_COMPONENTS)
  find_library(Ns3_${component}_LIBRARY NAMES ns3-${component} ns3.37-${component}-default ns3.37-${component})
  mark_as_advanced(Ns3_${component}_LIBRARY)
  if(Ns3_${component}_LIBRARY)
    set(Ns3_${component}_FOUND TRUE)
  endif()
endforeach()
mark_as_advanced(Ns3_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Ns3 REQUIRED_VARS Ns3_INCLUDE_DIR HANDLE_COMPONENTS)

if(Ns3_FOUND)
  foreach(component IN LISTS Ns3_FIND_COMPONENTS)
    if(NOT TARGET Ns3::${component})
      add_library(Ns3::${component} SHARED IMPORTED)
      set_target_properties(Ns3::${component} PROPERTIES IMPORTED_LOCATION "${Ns3_${component}_LIBRARY}"
                                                         INTERFACE_INCLUDE_DIRECTORIES "${Ns3_INCLUDE_DIR}")
    endif()
  endforeach()
endif()
