# Compiler and linker flags, the same for every target of the project.
include_guard()
include(CheckCCompilerFlag)

add_library(helenus_flags INTERFACE)
target_compile_definitions(helenus_flags INTERFACE _GNU_SOURCE HELENUS_VERSION="${PROJECT_VERSION}")
target_include_directories(helenus_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# Frame pointers stay, so that profilers and crash reports see whole stacks at no measurable cost.
# Strict aliasing is off: rows and frames are read out of byte strings in many places.
target_compile_options(helenus_flags INTERFACE
    -fno-omit-frame-pointer -fno-strict-aliasing -fno-common -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla
    -Wimplicit-fallthrough -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wnested-externs
    -Wredundant-decls)
foreach(flag logical-op duplicated-cond alloc-zero)
    string(MAKE_C_IDENTIFIER "HAVE_W${flag}" have)
    check_c_compiler_flag(-W${flag} ${have})
    if(${have})
        target_compile_options(helenus_flags INTERFACE -W${flag})
    endif()
endforeach()
if(HELENUS_WERROR)
    target_compile_options(helenus_flags INTERFACE -Werror)
endif()
if(EXISTS ${CMAKE_SOURCE_DIR}/cql/base/banned.h)
    target_compile_options(helenus_flags INTERFACE
        "SHELL:-include ${CMAKE_SOURCE_DIR}/cql/base/banned.h")
endif()
target_link_options(helenus_flags INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)

if(HELENUS_SANITIZE)
    # gcc's flow analysis sees paths that only the instrumentation adds: that one warning is off.
    target_compile_options(helenus_flags INTERFACE
        -fsanitize=${HELENUS_SANITIZE} -fno-sanitize-recover=all -Wno-maybe-uninitialized)
    target_link_options(helenus_flags INTERFACE -fsanitize=${HELENUS_SANITIZE})
    target_compile_definitions(helenus_flags INTERFACE HELENUS_SANITIZED=1)
elseif(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    target_compile_options(helenus_flags INTERFACE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()
if(HELENUS_FUZZ)
    target_compile_options(helenus_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
