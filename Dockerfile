# The native program in an image with nothing else: docs/guides/run-it-yourself.md says what it needs.
# `npm run test:image` takes these steps without a container engine.

FROM rust:1.95.0-slim-trixie AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates musl-tools \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /source
COPY . .
# SQLite and ring are C, and are compiled for musl too.
ENV TARGET_CC=musl-gcc
RUN cargo build --locked --profile server --bin candado --target "$(uname -m)-unknown-linux-musl" \
 && install -D --target-directory=/image target/*/server/candado \
 && mkdir --mode=700 /image/data

FROM scratch
# Whom to trust when a message is sent through Twilio or SendGrid.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/candado /candado
# The one place it writes to: the rest may be read-only.
COPY --from=build --chown=65532:65532 /image/data /data
ENV DATABASE=/data/candado.sqlite SQLITE_TMPDIR=/data LISTEN=0.0.0.0:8787
USER 65532:65532
VOLUME ["/data"]
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/candado", "health"]
ENTRYPOINT ["/candado"]
