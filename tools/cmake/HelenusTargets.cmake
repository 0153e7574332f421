# How a folder becomes a library, a main file a program, and a test file a test.
include_guard()

set(GENERATED ${CMAKE_BINARY_DIR}/generated)
set(EMPTY_SOURCE ${GENERATED}/empty.c)
if(NOT EXISTS ${EMPTY_SOURCE})
    file(WRITE ${EMPTY_SOURCE} "/* a folder without sources yet */\n")
endif()
set_property(GLOBAL PROPERTY HELENUS_LIBRARIES "")

# helenus_generate(<folder> <sources_out>): runs re2c on its *.re and lemon on its *.y.
# Any warning of re2c and any conflict of lemon fails the build (lemon exits 1 on a conflict).
# x.re becomes x.c and grammar.y becomes grammar.c and grammar.h, included as "<folder>/grammar.h".
function(helenus_generate folder sources_out)
    set(out_dir ${GENERATED}/${folder})
    set(sources "")
    file(GLOB lexers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.re)
    file(GLOB grammars CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.y)
    file(GLOB lists CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.def)
    if(lexers OR grammars)
        file(MAKE_DIRECTORY ${out_dir})
        find_program(RE2C re2c REQUIRED)
        find_program(LEMON lemon REQUIRED)
    endif()
    foreach(source ${lexers})
        get_filename_component(name ${source} NAME_WE)
        add_custom_command(OUTPUT ${out_dir}/${name}.c
            COMMAND ${RE2C} -W -Werror --no-generation-date --output ${out_dir}/${name}.c ${source}
            DEPENDS ${source} ${lists} VERBATIM)
        list(APPEND sources ${out_dir}/${name}.c)
    endforeach()
    foreach(source ${grammars})
        get_filename_component(name ${source} NAME_WE)
        add_custom_command(OUTPUT ${out_dir}/${name}.c ${out_dir}/${name}.h
            COMMAND ${LEMON} -d${out_dir} ${source}
            DEPENDS ${source} ${lists} VERBATIM)
        list(APPEND sources ${out_dir}/${name}.c ${out_dir}/${name}.h)
    endforeach()
    # What the generators write is correct C but not our style. NDEBUG leaves out lemon's tracing,
    # which would print to a stream.
    if(sources)
        set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS
            "-DNDEBUG;-Wno-missing-prototypes;-Wno-unused;-Wno-unused-parameter;-Wno-shadow;-Wno-sign-compare;-Wno-implicit-fallthrough;-Wno-redundant-decls;-Wno-undef;-I${CMAKE_SOURCE_DIR}/${folder}")
    endif()
    set(${sources_out} ${sources} PARENT_SCOPE)
endfunction()

# helenus_library(<target> <folder> LAYERS <targets> LIBRARIES <system libraries>)
# main.c of a folder is left to helenus_program.
function(helenus_library target folder)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LAYERS;LIBRARIES")
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    helenus_generate(${folder} generated)
    list(APPEND sources ${generated})
    if(NOT sources)
        set(sources ${EMPTY_SOURCE})
    endif()
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC helenus_flags ${arg_LAYERS} ${arg_LIBRARIES})
    # The fuzz build makes the fuzz targets and what they link, nothing else.
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ${HELENUS_FUZZ})
    set_property(GLOBAL APPEND PROPERTY HELENUS_LIBRARIES ${target})
    set_property(GLOBAL PROPERTY HELENUS_FOLDER_${folder} ${target})
endfunction()

# helenus_program(<target> <main file> <libraries>...): built as soon as its main file exists.
function(helenus_program target main)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${main})
    if(found AND NOT HELENUS_FUZZ)
        add_executable(${target} ${found})
        target_link_libraries(${target} PRIVATE ${ARGN})
        set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    endif()
endfunction()

# helenus_tests(<folder of tests> <prefix> <label> <libraries>...)
# Each test_<x>.c of the folder is one cmocka program <prefix>_<x> and one ctest; any other *.c
# there is a helper, linked into each of them.
function(helenus_tests folder prefix label)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/test_*.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    list(FILTER helpers EXCLUDE REGEX "/test_[^/]*\\.c$")
    foreach(source ${tests})
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "^test_" "${prefix}_" name ${name})
        add_executable(${name} ${source} ${helpers})
        target_link_libraries(${name} PRIVATE ${ARGN} cmocka m)
        add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
        set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 300
            ENVIRONMENT "${HELENUS_TEST_ENVIRONMENT}")
    endforeach()
endfunction()

# helenus_fuzz_targets(<folder>): each fuzz_<x>.c is one program of that name. With HELENUS_FUZZ it
# is a libFuzzer target; otherwise replay.c gives it a main that runs the corpus through it, which
# makes every input ever found a regression test. It links the libraries whose headers it includes.
function(helenus_fuzz_targets folder)
    file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/fuzz_*.c)
    foreach(source ${targets})
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "^fuzz_" "" short ${name})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
        file(STRINGS ${source} includes REGEX "^#include \"[^\"]+\"")
        set(libraries "")
        foreach(line ${includes})
            string(REGEX REPLACE "^#include \"([^\"]+)/[^/\"]+\".*" "\\1" include_folder ${line})
            get_property(library GLOBAL PROPERTY HELENUS_FOLDER_${include_folder})
            list(APPEND libraries ${library})
        endforeach()
        list(REMOVE_DUPLICATES libraries)
        if(HELENUS_FUZZ)
            add_executable(${name} ${source})
            target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        else()
            add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/${folder}/replay.c)
            add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/${folder}/corpus/${short})
            set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 300
                ENVIRONMENT "${HELENUS_TEST_ENVIRONMENT}")
        endif()
        target_link_libraries(${name} PRIVATE ${libraries} helenus_flags)
        set_target_properties(${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
        # libFuzzer's entry points have no header of their own.
        target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
    endforeach()
endfunction()
