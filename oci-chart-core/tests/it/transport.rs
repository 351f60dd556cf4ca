//! How requests get through: retries, time-outs, paces, TLS, proxies, mirrors.

mod bytes;
mod http2;
mod mirrors;
mod pace;
mod proxies;
mod resume;
mod retry;
mod safety;
mod socks;
mod time_outs;
mod tls;
