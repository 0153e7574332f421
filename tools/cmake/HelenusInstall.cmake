# cmake --install: the server, its systemd unit, and the example configuration as documentation
# (never as /etc/helenus/helenus.yaml, which is the administrator's).
include_guard()

if(TARGET helenusd)
    install(TARGETS helenusd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    # The unit names absolute paths, and only the installation knows its prefix.
    install(CODE "
        set(bin_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
        set(doc_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
        configure_file(\"${CMAKE_SOURCE_DIR}/tools/systemd/helenus.service.in\"
                       \"${CMAKE_BINARY_DIR}/helenus.service\" @ONLY)")
    install(FILES ${CMAKE_BINARY_DIR}/helenus.service DESTINATION lib/systemd/system)
endif()

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(document README.md server/run/helenus.yaml)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${document})
        install(FILES ${CMAKE_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR})
    endif()
endforeach()
