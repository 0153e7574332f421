# cmake --install: the server and its systemd unit.
include_guard()
if(TARGET helenusd)
    install(TARGETS helenusd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
