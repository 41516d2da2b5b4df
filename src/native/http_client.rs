//! `HttpClient` over TCP and TLS.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::causes::with_causes;
use super::resolver::{Reach, Resolver};
use crate::platform::{HttpClient, HttpError};

/// Bytes that are read of an answer: more than any provider's error says.
pub(super) const PROVIDERS_ANSWER: usize = 64 * 1024;

/// And of one whose status is all that is looked at.
const STRANGERS_ANSWER: usize = 1024;

/// Less than what providers keep an unused connection for.
const IDLE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    connections: legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    answer_limit: usize,
    reach: Reach,
}

impl Client {
    /// Of an answer, `answer_limit` bytes are kept.
    pub(super) fn new(roots: RootCertStore, answer_limit: usize) -> Result<Self, rustls::Error> {
        Self::with(roots, answer_limit, Resolver::new(Reach::Everywhere))
    }

    /// For addresses that somebody else named: it reaches what is public, and this machine in development.
    pub(super) fn to_strangers(
        roots: RootCertStore,
        development: bool,
    ) -> Result<Self, rustls::Error> {
        let reach = if development {
            Reach::PublicAndHere
        } else {
            Reach::Public
        };
        Self::with(roots, STRANGERS_ANSWER, Resolver::new(reach))
    }

    fn with(
        roots: RootCertStore,
        answer_limit: usize,
        resolver: Resolver,
    ) -> Result<Self, rustls::Error> {
        let reach = resolver.reach();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut plain = HttpConnector::new_with_resolver(resolver);
        plain.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            // Which of the two is for the configuration to say: http only in development.
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE);
        if reach != Reach::Everywhere {
            // Each request is by an address that was looked at for it.
            builder.pool_max_idle_per_host(0);
        }
        Ok(Self {
            connections: builder.build(connector),
            answer_limit,
            reach,
        })
    }

    /// An address in numbers is not looked up, so no resolver sees it.
    fn admits(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<IpAddr>();
        address.map_or(true, |address| self.reach.admits(address))
    }

    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let (parts, mut body) = self.connections.request(request).await?.into_parts();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(chunk) = frame?.into_data() {
                bytes.extend_from_slice(&chunk);
            }
            if bytes.len() > self.answer_limit {
                bytes.truncate(self.answer_limit);
                break;
            }
        }
        Ok(Response::from_parts(parts, bytes))
    }
}

/// The authorities this machine trusts: those of the system, or of `SSL_CERT_FILE`.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

#[async_trait]
impl HttpClient for Client {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        if !self.admits(request.uri()) {
            return Err(HttpError::Unreachable(
                "the address is not public".to_owned(),
            ));
        }
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(answer) => answer.map_err(|error| HttpError::Unreachable(with_causes(&*error))),
            Err(_) => Err(HttpError::Timeout),
        }
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::native::resolver::tests::scripted;

    /// Serves one connection after its request's head and body came in, and gives the address.
    async fn provider<F, A>(answer: F) -> String
    where
        F: FnOnce(TcpStream, String) -> A + Send + 'static,
        A: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await;
            answer(stream, request).await;
        });
        address
    }

    async fn read_request(stream: &mut TcpStream) -> String {
        let mut request = String::new();
        while !request.ends_with("the body") {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).await.unwrap();
            request.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
        request
    }

    fn request(address: &str) -> Request<Vec<u8>> {
        Request::post(format!("{address}/path?query"))
            .header("authorization", "Basic x")
            .body(b"the body".to_vec())
            .unwrap()
    }

    async fn send(address: &str, timeout: Duration) -> Result<Response<Vec<u8>>, HttpError> {
        let client = Client::new(RootCertStore::empty(), PROVIDERS_ANSWER).unwrap();
        client.send(request(address), timeout).await
    }

    const LONG: Duration = Duration::from_secs(5);
    const SHORT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_request_arrives_as_it_is_and_its_answer_comes_back() {
        let address = provider(async |mut stream: TcpStream, request: String| {
            assert!(
                request.starts_with("POST /path?query HTTP/1.1\r\n"),
                "{request}"
            );
            assert!(request.contains("authorization: Basic x\r\n"), "{request}");
            assert!(request.contains("host: 127.0.0.1:"), "{request}");
            let answer =
                b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\nno";
            stream.write_all(answer).await.unwrap();
        })
        .await;
        let answer = send(&address, LONG).await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "2");
        assert_eq!(answer.body(), b"no");
    }

    #[tokio::test]
    async fn an_answer_that_drips_ends_with_the_timeout() {
        let address = provider(async |mut stream: TcpStream, _| {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
            stream.write_all(head).await.unwrap();
            while stream.write_all(b".").await.is_ok() {
                tokio::time::sleep(SHORT / 10).await;
            }
        })
        .await;
        let started = tokio::time::Instant::now();
        let answer = send(&address, SHORT).await;
        assert!(matches!(answer, Err(HttpError::Timeout)), "{answer:?}");
        assert!(started.elapsed() < SHORT * 5);
    }

    #[tokio::test]
    async fn a_provider_that_says_nothing_ends_with_the_timeout() {
        let address = provider(async |stream: TcpStream, _| {
            tokio::time::sleep(LONG).await;
            drop(stream);
        })
        .await;
        let answer = send(&address, SHORT).await;
        assert!(matches!(answer, Err(HttpError::Timeout)), "{answer:?}");
    }

    /// A second message would cost, and confuse its reader.
    #[tokio::test]
    async fn rel_02_a_request_that_may_have_arrived_is_not_sent_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let provider = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            read_request(&mut stream).await;
            drop(stream);
            tokio::time::timeout(SHORT, listener.accept()).await.is_ok()
        });
        let client = Client::new(RootCertStore::empty(), PROVIDERS_ANSWER).unwrap();
        assert_eq!(
            client.send(request(&address), LONG).await.unwrap().status(),
            200
        );
        let answer = client.send(request(&address), LONG).await;
        assert!(
            matches!(answer, Err(HttpError::Unreachable(_))),
            "{answer:?}"
        );
        assert!(!provider.await.unwrap(), "it was sent again");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let address = provider(async |mut stream: TcpStream, _| {
            let answer =
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            let mut more = [0; 1];
            assert_eq!(stream.read(&mut more).await.unwrap(), 0);
        })
        .await;
        assert_eq!(send(&address, LONG).await.unwrap().status(), 307);
    }

    #[tokio::test]
    async fn of_a_long_body_64_kib_are_kept() {
        let address = provider(async |mut stream: TcpStream, _| {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            // It never ends: whoever reads to the end waits for the timeout.
            let chunk = format!("400\r\n{}\r\n", ".".repeat(0x400));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        })
        .await;
        let answer = send(&address, LONG).await.unwrap();
        assert_eq!(answer.body().len(), PROVIDERS_ANSWER);
    }

    #[tokio::test]
    async fn a_provider_that_is_not_there_is_out_of_reach() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let answer = send(&address, LONG).await;
        assert!(
            matches!(answer, Err(HttpError::Unreachable(_))),
            "{answer:?}"
        );
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_out_of_reach() {
        let address = provider(async |mut stream: TcpStream, _| {
            let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort";
            stream.write_all(cut).await.unwrap();
        })
        .await;
        let answer = send(&address, LONG).await;
        assert!(
            matches!(answer, Err(HttpError::Unreachable(_))),
            "{answer:?}"
        );
    }

    /// A receiver that is public and then, by the same name, is not: nothing arrives there, whatever was looked up before.
    #[tokio::test]
    async fn atk_105_each_request_goes_where_the_name_led_when_it_was_looked_at() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            // Kept open, for whoever would use it again.
            tokio::time::timeout(SHORT, listener.accept()).await.is_ok()
        });
        let answers: [&[&str]; 2] = [&["127.0.0.1"], &["10.0.0.1"]];
        let resolver = scripted(Reach::PublicAndHere, &answers);
        let client = Client::with(RootCertStore::empty(), STRANGERS_ANSWER, resolver).unwrap();
        let named = format!("http://hooks.example:{port}");
        let first = client.send(request(&named), LONG).await.unwrap();
        assert_eq!(first.status(), 204);
        let second = client.send(request(&named), LONG).await.unwrap_err();
        assert!(second.to_string().contains("not public"), "{second}");
        assert!(!receiver.await.unwrap(), "it arrived");
    }

    #[tokio::test]
    async fn atk_105_an_address_in_numbers_is_looked_at_too() {
        let strangers =
            |development| Client::to_strangers(RootCertStore::empty(), development).unwrap();
        for inside in [
            "http://127.0.0.1:1",
            "https://169.254.169.254",
            "https://[::1]",
            "https://[fd00::1]",
        ] {
            let error = strangers(false)
                .send(request(inside), LONG)
                .await
                .unwrap_err();
            assert!(
                error.to_string().contains("not public"),
                "{inside}: {error}"
            );
        }
        let address = provider(async |mut stream: TcpStream, _| {
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .await
                .unwrap();
        })
        .await;
        assert_eq!(
            strangers(true)
                .send(request(&address), LONG)
                .await
                .unwrap()
                .status(),
            204
        );
        // A name that leads to this machine.
        let localhost = address.replace("127.0.0.1", "localhost");
        let error = strangers(false)
            .send(request(&localhost), LONG)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("not public"), "{error}");
    }

    #[tokio::test]
    async fn atk_105_of_a_strangers_endless_answer_little_is_read() {
        let address = provider(async |mut stream: TcpStream, _| {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            let chunk = format!("400\r\n{}\r\n", ".".repeat(0x400));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        })
        .await;
        let client = Client::to_strangers(RootCertStore::empty(), true).unwrap();
        let answer = client.send(request(&address), LONG).await.unwrap();
        assert_eq!(answer.body().len(), STRANGERS_ANSWER);
    }

    #[tokio::test]
    async fn https_is_not_spoken_in_the_clear() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 3];
            stream.read_exact(&mut first).await.unwrap();
            first
        });
        let answer = send(&address, LONG).await;
        assert!(
            matches!(answer, Err(HttpError::Unreachable(_))),
            "{answer:?}"
        );
        // A handshake record of TLS (RFC 8446 §5.1), and not `POS`.
        assert_eq!(heard.await.unwrap()[..2], [22, 3]);
    }
}
