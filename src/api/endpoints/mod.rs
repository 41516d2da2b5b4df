//! Every endpoint: a file for what belongs together, with its requests, answers, descriptions and handlers.

use super::endpoint::Endpoint;

/// The files, each of which lists its endpoints, in the order of the document.
macro_rules! endpoints_of {
    ($($file:ident)*) => {
        $(mod $file;)*

        pub(super) fn all() -> Vec<Endpoint> {
            let mut all = Vec::new();
            $(all.extend($file::endpoints());)*
            all
        }
    };
}

endpoints_of! {
    auth
    enrolment
    import
    renew
    factors
    passkeys
    qr_code
    verify
    trusted_devices
    recovery_codes
    generate
    send
    sessions
    status
    contact
    users
    test_clients
    clients
    api_keys
    webhooks
    operator
    user_admin
    audit
    statistics
    keys
    health
}
