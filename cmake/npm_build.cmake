# SPDX-License-Identifier: Apache-2.0
# vite build into DIST; nothing is built when the packages could not be fetched.
file(REMOVE_RECURSE ${DIST})
if(EXISTS ${WEB}/node_modules/.larmor-lock)
  execute_process(COMMAND ${NPM} run --silent build -w app -- --outDir ${DIST} --emptyOutDir --logLevel warn
    WORKING_DIRECTORY ${WEB} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "the web client does not build")
  endif()
endif()
