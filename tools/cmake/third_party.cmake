# Third-party libraries, each under one alias third_party::<name>. Built without our warnings and seen as system headers.
#
# From Debian source packages (tools/fetch-sources, pinned in tools/sources.lock), the same for host and cross builds:
#   third_party::mbedtls  third_party::sqlite  third_party::catch2  third_party::nanopb
# From the machine's Debian packages (tools/setup):
#   third_party::boost  third_party::boost_embedded  third_party::tomlplusplus
#   third_party::curl  third_party::cli11  third_party::json           (relay and tools only)
find_package(Threads REQUIRED)

# --- source packages -------------------------------------------------------------------------------------------------

if(DEFINED ENV{TOMOSHIBI_SOURCES})
  set(sources_default "$ENV{TOMOSHIBI_SOURCES}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(sources_default "$ENV{XDG_CACHE_HOME}/tomoshibi/sources")
else()
  set(sources_default "$ENV{HOME}/.cache/tomoshibi/sources")
endif()
set(TOMOSHIBI_SOURCES "${sources_default}" CACHE PATH "Where tools/fetch-sources unpacked third-party sources")

add_compile_options("-ffile-prefix-map=${TOMOSHIBI_SOURCES}/=third_party/")

set(lock_file "${PROJECT_SOURCE_DIR}/tools/sources.lock")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${lock_file}")

# Sets ${name}_source_dir to the unpacked source of a pin in tools/sources.lock.
function(locate_source name)
  file(STRINGS "${lock_file}" lines REGEX "^${name}[ \t]")
  string(REGEX REPLACE "^[^ \t]+[ \t]+[^ \t]+[ \t]+([^ \t]+).*" "\\1" version "${lines}")
  string(REGEX REPLACE "[~+:]" "-" folder "${name}-${version}")
  set(path "${TOMOSHIBI_SOURCES}/${folder}")
  if(NOT EXISTS "${path}/.complete")
    message(FATAL_ERROR "${name} ${version} is not in ${TOMOSHIBI_SOURCES}. Run: tools/setup")
  endif()
  set(${name}_source_dir "${path}" PARENT_SCOPE)
endfunction()

# Headers of a third-party library: found without warnings, and before nothing else of that folder.
function(system_headers target)
  target_include_directories(${target} SYSTEM INTERFACE ${ARGN})
endfunction()

# Mbed TLS: every library file in one archive; protocol/adapters/mbedtls_config.h decides what is inside.
locate_source(mbedtls)
file(GLOB mbedtls_files CONFIGURE_DEPENDS "${mbedtls_source_dir}/library/*.c")
add_library(third_party_mbedtls STATIC EXCLUDE_FROM_ALL ${mbedtls_files})
target_compile_definitions(third_party_mbedtls PUBLIC
  MBEDTLS_CONFIG_FILE="${PROJECT_SOURCE_DIR}/protocol/adapters/mbedtls_config.h")
target_include_directories(third_party_mbedtls PRIVATE
  "${mbedtls_source_dir}/include" "${mbedtls_source_dir}/library")
system_headers(third_party_mbedtls "${mbedtls_source_dir}/include")
target_compile_options(third_party_mbedtls PRIVATE -w)
target_link_libraries(third_party_mbedtls PUBLIC Threads::Threads)
if(TOMOSHIBI_FUZZERS)
  # What is fuzzed is how TLS reads bytes, not how it multiplies: with sanitizers in the arithmetic a handshake takes a second.
  set(arithmetic ${mbedtls_files})
  list(FILTER arithmetic INCLUDE REGEX "/(bignum|bignum_core|bignum_mod|bignum_mod_raw|ecp|ecp_curves|constant_time|sha256|sha512|aes|gcm)\\.c$")
  set_source_files_properties(${arithmetic} PROPERTIES COMPILE_OPTIONS "-fno-sanitize=all;-fno-sanitize=fuzzer-no-link;-O2")
endif()
add_library(third_party::mbedtls ALIAS third_party_mbedtls)

# SQLite. DQS=0: "x" is never a string. WAL synchronous FULL: an acknowledged record survives a power cut. fdatasync: without it
# SQLite calls fsync, which has the file's times written as well (a journal commit; ext4 without a journal writes them either way).
locate_source(sqlite3)
set(sqlite_dir "${sqlite3_source_dir}/amalgamation")
add_library(third_party_sqlite STATIC EXCLUDE_FROM_ALL "${sqlite_dir}/sqlite3.c")
target_compile_definitions(third_party_sqlite PRIVATE
  SQLITE_THREADSAFE=2
  SQLITE_DQS=0
  SQLITE_DEFAULT_WAL_SYNCHRONOUS=2
  SQLITE_DEFAULT_SYNCHRONOUS=2
  SQLITE_DEFAULT_FOREIGN_KEYS=1
  SQLITE_DEFAULT_MEMSTATUS=0
  SQLITE_LIKE_DOESNT_MATCH_BLOBS
  SQLITE_MAX_EXPR_DEPTH=100
  SQLITE_TRUSTED_SCHEMA=0
  SQLITE_USE_ALLOCA
  SQLITE_TEMP_STORE=2
  SQLITE_UNTESTABLE
  HAVE_FDATASYNC=1
  HAVE_USLEEP=1)
target_compile_definitions(third_party_sqlite PUBLIC
  SQLITE_OMIT_AUTHORIZATION
  SQLITE_OMIT_DECLTYPE
  SQLITE_OMIT_DEPRECATED
  SQLITE_OMIT_LOAD_EXTENSION
  SQLITE_OMIT_PROGRESS_CALLBACK
  SQLITE_OMIT_SHARED_CACHE
  SQLITE_OMIT_TCL_VARIABLE)
target_link_libraries(third_party_sqlite PUBLIC Threads::Threads)
system_headers(third_party_sqlite "${sqlite_dir}")
target_compile_options(third_party_sqlite PRIVATE -w)
if(TOMOSHIBI_FUZZERS)
  # We fuzz our parsers, not SQLite; clang needs minutes to instrument its one large file.
  target_compile_options(third_party_sqlite PRIVATE -fno-sanitize=all)
endif()
add_library(third_party::sqlite ALIAS third_party_sqlite)

# nanopb: the runtime; without malloc, without streams, with errors as short texts.
locate_source(nanopb)
add_library(third_party_nanopb STATIC EXCLUDE_FROM_ALL
  "${nanopb_source_dir}/pb_common.c" "${nanopb_source_dir}/pb_decode.c" "${nanopb_source_dir}/pb_encode.c")
target_compile_definitions(third_party_nanopb PUBLIC PB_VALIDATE_UTF8 PB_BUFFER_ONLY)
target_include_directories(third_party_nanopb PRIVATE "${nanopb_source_dir}")
system_headers(third_party_nanopb "${nanopb_source_dir}")
target_compile_options(third_party_nanopb PRIVATE -w $<$<CONFIG:Debug>:-O2>)  # it is called a hundred million times in a simulated month
add_library(third_party::nanopb ALIAS third_party_nanopb)
set(nanopb_generator "${nanopb_source_dir}/generator/nanopb_generator.py")
set(TOMOSHIBI_PYTHON "/usr/bin/python3" CACHE FILEPATH
    "The python that has Debian's python3-protobuf (another python in PATH may lack it)")
find_program(TOMOSHIBI_PROTOC protoc REQUIRED)

# Catch2, with its main function.
if(TOMOSHIBI_TESTS)
  locate_source(catch2)
  set(CATCH_INSTALL_DOCS OFF CACHE INTERNAL "")
  set(CATCH_INSTALL_EXTRAS OFF CACHE INTERNAL "")
  add_subdirectory("${catch2_source_dir}" "${PROJECT_BINARY_DIR}/third_party/catch2" EXCLUDE_FROM_ALL SYSTEM)
  target_compile_options(Catch2 PRIVATE -w)
  set_target_properties(Catch2 PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 24)
  add_library(third_party_catch2 INTERFACE)
  target_link_libraries(third_party_catch2 INTERFACE Catch2::Catch2WithMain)
  add_library(third_party::catch2 ALIAS third_party_catch2)
endif()

# --- Debian packages: headers ----------------------------------------------------------------------------------------

# Adding /usr/include itself to a cross build would hide the target's C library. So each library is reached through a
# folder that holds only a link to it.
function(system_package target)
  cmake_parse_arguments(arg "" "" "ROOTS" ${ARGN})
  set(folder "${PROJECT_BINARY_DIR}/third_party/include/${target}")
  file(MAKE_DIRECTORY "${folder}")
  foreach(root IN LISTS arg_ROOTS)
    if(NOT EXISTS "/usr/include/${root}")
      message(FATAL_ERROR "/usr/include/${root} is missing. Run: tools/setup")
    endif()
    file(CREATE_LINK "/usr/include/${root}" "${folder}/${root}" SYMBOLIC)
  endforeach()
  system_headers(${target} "${folder}")
endfunction()

# Boost: headers only, Asio compiled once. Two flavours, because Asio's objects differ in layout with and without
# exceptions: a program that links both does not configure.
#   third_party::boost            the relay and tools (exceptions, RTTI)
#   third_party::boost_embedded   the firmware (neither; where Boost would throw it aborts)
file(STRINGS /usr/include/boost/version.hpp boost_version_line REGEX "define BOOST_VERSION ")
string(REGEX MATCH "[0-9]+" boost_version "${boost_version_line}")
if(NOT boost_version OR boost_version LESS 108100)
  message(FATAL_ERROR "Boost 1.81 or newer is needed (libboost1.81-dev), found ${boost_version}. Run: tools/setup")
endif()

function(boost_flavour target flavour)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/third_party/${target}.cpp" CONTENT "#include <boost/asio/impl/src.hpp>\n")
  add_library(${target} STATIC EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/third_party/${target}.cpp")
  system_package(${target} ROOTS boost)
  target_include_directories(${target} SYSTEM PRIVATE "${PROJECT_BINARY_DIR}/third_party/include/${target}")
  target_compile_definitions(${target} PUBLIC
    BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED
    BOOST_ASIO_NO_TS_EXECUTORS
    BOOST_ASIO_DISABLE_BOOST_COROUTINE
    BOOST_ERROR_CODE_HEADER_ONLY)
  target_compile_options(${target} PRIVATE -w)
  target_link_libraries(${target} PUBLIC Threads::Threads)
  set_target_properties(${target} PROPERTIES
    INTERFACE_TOMOSHIBI_BOOST_FLAVOUR ${flavour}
    COMPATIBLE_INTERFACE_STRING TOMOSHIBI_BOOST_FLAVOUR)
endfunction()

boost_flavour(third_party_boost hosted)
add_library(third_party::boost ALIAS third_party_boost)

boost_flavour(third_party_boost_embedded embedded)
target_sources(third_party_boost_embedded PRIVATE "${PROJECT_SOURCE_DIR}/firmware/shell/boost_no_exceptions.cpp")
target_compile_options(third_party_boost_embedded PRIVATE -fno-exceptions -fno-rtti)
target_compile_definitions(third_party_boost_embedded PUBLIC
  BOOST_NO_EXCEPTIONS BOOST_EXCEPTION_DISABLE BOOST_NO_RTTI BOOST_NO_TYPEID)
add_library(third_party::boost_embedded ALIAS third_party_boost_embedded)

# toml++: returns parse errors instead of throwing, in both products.
add_library(third_party_tomlplusplus INTERFACE)
system_package(third_party_tomlplusplus ROOTS toml++)
target_compile_definitions(third_party_tomlplusplus INTERFACE TOML_EXCEPTIONS=0)
add_library(third_party::tomlplusplus ALIAS third_party_tomlplusplus)

if(TOMOSHIBI_RELAY)
  add_library(third_party_cli11 INTERFACE)
  system_package(third_party_cli11 ROOTS CLI)
  add_library(third_party::cli11 ALIAS third_party_cli11)

  add_library(third_party_json INTERFACE)
  system_package(third_party_json ROOTS nlohmann)
  add_library(third_party::json ALIAS third_party_json)

  find_package(CURL REQUIRED)
  add_library(third_party_curl INTERFACE)
  target_link_libraries(third_party_curl INTERFACE CURL::libcurl)
  add_library(third_party::curl ALIAS third_party_curl)
endif()
