# SPDX-License-Identifier: Apache-2.0
# npm ci, when the packages that are there are not those of the lock file. A failure is told and not fatal.
file(SHA256 ${WEB}/package-lock.json want)
set(mark ${WEB}/node_modules/.larmor-lock)
set(have "")
if(EXISTS ${mark})
  file(READ ${mark} have)
endif()
if(NOT have STREQUAL want)
  execute_process(COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error WORKING_DIRECTORY ${WEB} RESULT_VARIABLE failed
    OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed)
    message("${text}\nnpm ci failed: 'larmor studio' is built without its web client. With the network back: touch "
      "web/package-lock.json and build again")
  else()
    file(WRITE ${mark} ${want})
  endif()
endif()
file(WRITE ${STAMP} "${want}")
