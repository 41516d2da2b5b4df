//! `candado health`: for whoever starts it again when it does not serve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::Request;
use rustls::RootCertStore;

use super::Problem;
use super::serve::{block_on, variable};
use crate::native::http_client::{Client, PROVIDERS_ANSWER};
use crate::native::settings::listen_address;
use crate::platform::HttpClient;

const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks the program at `LISTEN`, from the same machine or container.
pub(super) fn run() -> Result<(), Problem> {
    let listen = listen_address(variable).map_err(|error| error.to_string())?;
    let address = reachable(listen);
    let request = Request::get(format!("http://{address}/health"))
        // As the proxy in front says it.
        .header("x-forwarded-proto", "https")
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    let client = Client::new(RootCertStore::empty(), PROVIDERS_ANSWER);
    let client = client.map_err(|error| error.to_string())?;
    let answer = block_on(client.send(request, TIMEOUT))?
        .map_err(|error| format!("{address} does not answer: {error}"))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(answer.body()).into_owned();
    Err(format!("{address} is not fit to serve: {said}"))
}

/// Where somebody on this machine finds what listens on every address.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    listen.set_ip(match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        own => own,
    });
    listen
}
