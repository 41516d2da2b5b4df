//! Answers every request with `{}`. Its one argument is the address and port to listen on.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let app =
        Router::new().fallback(async |_: String| ([(CONTENT_TYPE, "application/json")], "{}"));
    axum::serve(TcpListener::bind(address).await?, app).await
}
