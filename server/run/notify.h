/* Says to systemd (Type=notify) that the node serves, or stops: the datagram protocol of sd_notify(3), without its library. */
#ifndef SERVER_RUN_NOTIFY_H
#define SERVER_RUN_NOTIFY_H

/* Nothing happens when NOTIFY_SOCKET is not set. */
void notify_ready(void);
void notify_stopping(void);

#endif
