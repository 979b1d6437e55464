# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin keyfob \
    && cp target/release/keyfob /keyfob \
    && mkdir /data

# No shell, no package manager; root certificates, and a user that owns nothing but /data.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /keyfob /usr/local/bin/keyfob
COPY --from=build /build/LICENSE-MIT /build/LICENSE-APACHE /usr/share/doc/keyfob/
COPY --from=build --chown=65532:65532 /data /data

# The database (keyfob.db) and the configuration (keyfob.toml) are looked for here.
WORKDIR /data
VOLUME /data
USER 65532:65532

# Inside the container loopback reaches nobody. This wins over `listen` in keyfob.toml.
ENV KEYFOB_LISTEN=0.0.0.0:8484
EXPOSE 8484
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/keyfob", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/keyfob"]
CMD ["serve"]
