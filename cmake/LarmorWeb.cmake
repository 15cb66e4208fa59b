# SPDX-License-Identifier: Apache-2.0
# larmor_web(<target>): builds the web client with npm and packs it into the target. Without npm, or without the network
# that it needs once, the program is built all the same and its server says what is missing.
option(LARMOR_WEB "Build the web client into the program when npm is found" ON)
find_program(LARMOR_NPM npm)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(larmor_web target)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(out ${CMAKE_BINARY_DIR}/generated/web_assets.cpp)
  if(LARMOR_WEB AND LARMOR_NPM)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${web}/app/*.ts ${web}/app/*.tsx ${web}/app/*.css ${web}/app/*.html
      ${web}/app/*.svg ${web}/app/package.json ${web}/packages/*.ts ${web}/packages/*.tsx ${web}/packages/*.css
      ${web}/packages/*.json)
    list(FILTER files EXCLUDE REGEX "/(node_modules|dist)/|\\.test\\.tsx?$|/app/dev/")
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/web/npm.stamp
      COMMAND ${CMAKE_COMMAND} -DNPM=${LARMOR_NPM} -DWEB=${web} -DSTAMP=${CMAKE_BINARY_DIR}/web/npm.stamp
        -P ${CMAKE_SOURCE_DIR}/cmake/npm_install.cmake
      DEPENDS ${web}/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/npm_install.cmake
      COMMENT "Fetching the web client's packages" VERBATIM)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DNPM=${LARMOR_NPM} -DWEB=${web} -DDIST=${CMAKE_BINARY_DIR}/web/dist
        -P ${CMAKE_SOURCE_DIR}/cmake/npm_build.cmake
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed_web.py ${CMAKE_BINARY_DIR}/web/dist ${out}
      DEPENDS ${CMAKE_BINARY_DIR}/web/npm.stamp ${files} ${CMAKE_SOURCE_DIR}/tools/embed_web.py
        ${CMAKE_SOURCE_DIR}/cmake/npm_build.cmake
      COMMENT "Building the web client" VERBATIM)
  else()
    if(LARMOR_WEB)
      message(WARNING "npm was not found: 'larmor studio' is built without its web client (make setup installs npm)")
    endif()
    add_custom_command(OUTPUT ${out}
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed_web.py ${CMAKE_BINARY_DIR}/web/none ${out}
      DEPENDS ${CMAKE_SOURCE_DIR}/tools/embed_web.py VERBATIM)
  endif()
  target_sources(${target} PRIVATE ${out})
endfunction()
