# SPDX-License-Identifier: Apache-2.0
# DCMTK (Debian: libdcmtk-dev), only the libraries that are used: each one costs time at every start of the program.
find_path(DCMTK_INCLUDE dcmtk/dcmdata/dctk.h)
set(libraries)
foreach(name dcmnet dcmjpeg ijg8 ijg12 ijg16 dcmjpls dcmdata oflog ofstd)
  find_library(DCMTK_${name} ${name})
  list(APPEND libraries ${DCMTK_${name}})
endforeach()
if(NOT DCMTK_INCLUDE OR libraries MATCHES "NOTFOUND")
  message(FATAL_ERROR "DCMTK is missing: apt-get install libdcmtk-dev")
endif()
add_library(larmor_dcmtk INTERFACE)
target_include_directories(larmor_dcmtk SYSTEM INTERFACE ${DCMTK_INCLUDE})
target_link_libraries(larmor_dcmtk INTERFACE -Wl,--push-state,--as-needed ${libraries} -Wl,--pop-state)
