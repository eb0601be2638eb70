# Stops an engine and keeps it from starting, whatever tries, over reboots too.
surgery "$@"
guards
hold_engine
