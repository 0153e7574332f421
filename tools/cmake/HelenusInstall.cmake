# cmake --install: the server, its systemd unit, and the example configuration as documentation
# (never as /etc/helenus/helenus.yaml, which is the administrator's).
include_guard()

configure_file(${CMAKE_SOURCE_DIR}/tools/systemd/helenus.service.in
               ${CMAKE_BINARY_DIR}/helenus.service @ONLY)
if(TARGET helenusd)
    install(TARGETS helenusd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES ${CMAKE_BINARY_DIR}/helenus.service DESTINATION lib/systemd/system)
endif()

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(document README.md server/run/helenus.yaml)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${document})
        install(FILES ${CMAKE_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR})
    endif()
endforeach()
