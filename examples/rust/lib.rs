//! Stories told with the public API.
