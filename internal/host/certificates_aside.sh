# Sets the certificates of a held host aside, so that it joins as a new node.
# Arguments: those of a surgery.
surgery "$@"
guards
same_recovery
need_held
save_certificates
put_aside certificates
tell_aside
