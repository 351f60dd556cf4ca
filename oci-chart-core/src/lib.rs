//! Helm charts as OCI artifacts.
