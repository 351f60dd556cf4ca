//! How requests get through: retries, time-outs, paces, TLS, proxies, mirrors.

mod pace;
mod resume;
mod retry;
mod time_outs;
mod tls;
