# The project's own functions.
#
#   tomoshibi_library(name SOURCES a.cpp ... DEPS lib ... [NO_EXCEPTIONS])
#   tomoshibi_program(name SOURCES a.cpp ... DEPS lib ... [NO_EXCEPTIONS])
#   tomoshibi_test(name LABELS unit SOURCES a.cpp ... DEPS lib ... [NO_EXCEPTIONS] [NATIVE_ONLY] [TIMEOUT seconds])
#   tomoshibi_script_test(name LABELS integration COMMAND program args ... [TIMEOUT seconds])
#   tomoshibi_fuzzer(name SOURCES a.cpp ... DEPS lib ... [DICT words])
#   tomoshibi_proto(target file.proto ...)
#   tomoshibi_folders(folder ...)        add_subdirectory for each folder that has a CMakeLists.txt
#   tomoshibi_all_folders()              the same for every folder beside the calling CMakeLists.txt
#
# Includes start at the top folder: #include "protocol/base/result.hpp". A library without .cpp files is header-only.
#
# NO_EXCEPTIONS compiles with -fno-exceptions -fno-rtti (protocol/base, protocol/wire, drivers, firmware). Code with RTTI
# that derives from a class of such a library needs the class's type information, which exists only where the class has
# no virtual function defined in a .cpp file of that library: keep interfaces (ports) header-only, or compile the test
# with NO_EXCEPTIONS too.

set(tomoshibi_warnings
  -Wall -Wextra -Wpedantic -Werror
  -Wconversion -Wsign-conversion -Wdouble-promotion
  -Wshadow -Wold-style-cast -Wcast-qual -Wcast-align
  -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
  -Wformat=2 -Wundef -Wunused -Wimplicit-fallthrough)
set(tomoshibi_warnings_gnu -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
set(tomoshibi_warnings_clang -Wno-deprecated-declarations) # libstdc++ 12 calls what it deprecates, std::stable_sort for one
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" OR TOMOSHIBI_SANITIZED)
  # With these optimisations g++ 12 follows paths through inlined library code and reports what cannot happen.
  list(APPEND tomoshibi_warnings_gnu -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow
       -Wno-stringop-overread -Wno-restrict -Wno-free-nonheap-object)
endif()

# What holds for every target of ours.
function(tomoshibi_settings target scope no_exceptions)
  if(scope STREQUAL "INTERFACE")
    target_include_directories(${target} INTERFACE "${PROJECT_SOURCE_DIR}")
    return()
  endif()
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE ${tomoshibi_warnings} $<$<CXX_COMPILER_ID:GNU>:${tomoshibi_warnings_gnu}>
    $<$<CXX_COMPILER_ID:Clang>:${tomoshibi_warnings_clang}>)
  if(TOMOSHIBI_COVERAGE)
    target_compile_options(${target} PRIVATE -fprofile-instr-generate -fcoverage-mapping)
  endif()
  if(no_exceptions)
    target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
  endif()
endfunction()

function(tomoshibi_library name)
  cmake_parse_arguments(arg "NO_EXCEPTIONS" "" "SOURCES;DEPS" ${ARGN})
  tomoshibi_no_leftovers(${name} "${arg_UNPARSED_ARGUMENTS}")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    tomoshibi_settings(${name} PUBLIC ${arg_NO_EXCEPTIONS})
    target_link_libraries(${name} PUBLIC ${arg_DEPS})
  else()
    add_library(${name} INTERFACE)
    tomoshibi_settings(${name} INTERFACE ${arg_NO_EXCEPTIONS})
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
  endif()
endfunction()

function(tomoshibi_program name)
  cmake_parse_arguments(arg "NO_EXCEPTIONS" "" "SOURCES;DEPS" ${ARGN})
  tomoshibi_no_leftovers(${name} "${arg_UNPARSED_ARGUMENTS}")
  add_executable(${name} ${arg_SOURCES})
  tomoshibi_settings(${name} PRIVATE ${arg_NO_EXCEPTIONS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endfunction()

# The labels that tools/test knows.
set(tomoshibi_labels unit contract sim integration browser fuzz bench)
# What the rounds of tools/test with sanitizers and for another processor need: every test without a slow label.
add_custom_target(quick_tests)

# One program, one ctest entry. Catch2 supplies main. NATIVE_ONLY: built everywhere, but not run where an emulator stands
# in for the kernel (qemu's lacks some socket options).
function(tomoshibi_test name)
  cmake_parse_arguments(arg "NO_EXCEPTIONS;NATIVE_ONLY" "TIMEOUT" "LABELS;SOURCES;DEPS" ${ARGN})
  tomoshibi_no_leftovers(${name} "${arg_UNPARSED_ARGUMENTS}")
  add_executable(${name} ${arg_SOURCES})
  tomoshibi_settings(${name} PRIVATE ${arg_NO_EXCEPTIONS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} third_party::catch2)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test_bin")
  if(arg_NATIVE_ONLY AND CMAKE_CROSSCOMPILING)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${name} --colour-mode none WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  tomoshibi_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

# A test that is a command: a script, or a program with arguments.
function(tomoshibi_script_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;COMMAND" ${ARGN})
  tomoshibi_no_leftovers(${name} "${arg_UNPARSED_ARGUMENTS}")
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  tomoshibi_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

# A function LLVMFuzzerTestOneInput. Preset fuzz: libFuzzer runs it for TOMOSHIBI_FUZZ_SECONDS; tools/fuzz runs it longer.
# Other presets: every file of tests/fuzz/corpus/<name>/ is replayed once. DICT words: the fuzzer knows the words of
# tests/fuzz/dict/words.dict, which is put beside the program as <name>.dict.
set(TOMOSHIBI_FUZZ_SECONDS 10 CACHE STRING "How long ctest runs each fuzzer in preset fuzz")
function(tomoshibi_fuzzer name)
  cmake_parse_arguments(arg "NO_EXCEPTIONS" "DICT" "SOURCES;DEPS" ${ARGN})
  tomoshibi_no_leftovers(${name} "${arg_UNPARSED_ARGUMENTS}")
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  add_executable(${name} ${arg_SOURCES})
  tomoshibi_settings(${name} PRIVATE ${arg_NO_EXCEPTIONS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz_bin")
  if(TOMOSHIBI_FUZZERS)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(found "${PROJECT_BINARY_DIR}/fuzz_found/${name}")
    file(MAKE_DIRECTORY "${found}")
    set(seeds)
    if(EXISTS "${corpus}")
      set(seeds "${corpus}")
    endif()
    set(words)
    if(arg_DICT)
      configure_file("${PROJECT_SOURCE_DIR}/tests/fuzz/dict/${arg_DICT}.dict" "${PROJECT_BINARY_DIR}/fuzz_bin/${name}.dict" COPYONLY)
      set(words "-dict=${PROJECT_BINARY_DIR}/fuzz_bin/${name}.dict")
    endif()
    # New inputs go to the first folder; the seeds are only read.
    add_test(NAME ${name} WORKING_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz_found"
      COMMAND ${name} ${words} -max_total_time=${TOMOSHIBI_FUZZ_SECONDS} -timeout=10 -print_final_stats=1 "${found}" ${seeds})
    math(EXPR timeout "${TOMOSHIBI_FUZZ_SECONDS} * 2 + 120")
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay_main.cpp")
    add_test(NAME ${name} COMMAND ${name} "${corpus}" WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set(timeout 120)
  endif()
  tomoshibi_test_properties(${name} fuzz ${timeout})
endfunction()

# C code for messages: file.proto (with an optional file.options beside it) becomes <folder>/file.pb.h and .pb.c in the
# build folder, included by its path from the top folder: #include "protocol/schema/file.pb.h".
function(tomoshibi_proto target)
  set(out_root "${PROJECT_BINARY_DIR}/generated")
  set(generated)
  foreach(file IN LISTS ARGN)
    file(REAL_PATH "${file}" path BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    file(RELATIVE_PATH relative "${PROJECT_SOURCE_DIR}" "${path}")
    string(REGEX REPLACE "\\.proto$" "" stem "${relative}")
    get_filename_component(folder "${relative}" DIRECTORY)
    file(MAKE_DIRECTORY "${out_root}/${folder}")
    file(GLOB options CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${stem}.options")
    add_custom_command(
      OUTPUT "${out_root}/${stem}.pb.h" "${out_root}/${stem}.pb.c"
      COMMAND "${CMAKE_COMMAND}" -E env PYTHONDONTWRITEBYTECODE=1
        "${TOMOSHIBI_PYTHON}" "${nanopb_generator}" --quiet --no-timestamp
        "--proto-path=${PROJECT_SOURCE_DIR}" "--output-dir=${out_root}" "--options-path=${PROJECT_SOURCE_DIR}/${folder}"
        "--library-include-format=#include <%s>" "${relative}"
      DEPENDS "${path}" ${options}
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
      COMMENT "Generating the codec of ${relative}"
      VERBATIM)
    list(APPEND generated "${out_root}/${stem}.pb.c" "${out_root}/${stem}.pb.h")
  endforeach()
  add_library(${target} STATIC ${generated})
  target_include_directories(${target} SYSTEM PUBLIC "${out_root}")
  target_compile_options(${target} PRIVATE -w)
  target_link_libraries(${target} PUBLIC third_party::nanopb)
endfunction()

function(tomoshibi_folders)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory("${folder}")
    endif()
  endforeach()
endfunction()

function(tomoshibi_all_folders)
  file(GLOB lists RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt")
  foreach(list IN LISTS lists)
    get_filename_component(folder "${list}" DIRECTORY)
    add_subdirectory("${folder}")
  endforeach()
endfunction()

# --- helpers of the above --------------------------------------------------------------------------------------------

function(tomoshibi_no_leftovers name leftovers)
  if(leftovers)
    message(FATAL_ERROR "${name}: not understood: ${leftovers}")
  endif()
endfunction()

function(tomoshibi_test_properties name labels timeout)
  if(NOT labels)
    message(FATAL_ERROR "test ${name} has no LABELS; known: ${tomoshibi_labels}")
  endif()
  foreach(label IN LISTS labels)
    if(NOT label IN_LIST tomoshibi_labels)
      message(FATAL_ERROR "test ${name}: unknown label '${label}'; known: ${tomoshibi_labels}")
    endif()
  endforeach()
  set(slow ${labels})
  list(FILTER slow INCLUDE REGEX "^(sim|integration|browser|bench)$")
  if(TARGET ${name} AND NOT slow)
    add_dependencies(quick_tests ${name})
  endif()
  if(NOT timeout)
    set(timeout 300) # Generous: under qemu or a sanitizer, on a busy machine, seconds become minutes.
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout})
endfunction()
