use std::ffi::{CString, c_char};

use oci_chart_core::{Event, context};

use crate::ffi::c_text;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_event_kind {
    /// Nothing happened for a while; the caller gets its turn.
    Tick = 0,
    /// A transfer began: `id`, `direction`, `digest`, `media_type`, `total`.
    Started = 1,
    /// A transfer has come so far: `id`, `bytes`. Only the newest is kept for a slow listener.
    Progress = 2,
    /// A transfer is done: `id`.
    Finished = 3,
    /// Nothing had to be moved, the other side has it: as OCI_CHART_EVENT_KIND_STARTED.
    Skipped = 4,
    /// Something that works, but should be known: `text`.
    Warning = 5,
    /// A request goes out again, or the host's pace is kept: `text` (what waits), `why`, `attempt`, `wait_ms`.
    Waiting = 6,
    /// Something that this version has no number for yet: `text`.
    Other = 7,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_direction {
    /// No way: the event is of no transfer.
    None = 0,
    /// Towards the store.
    Push = 1,
    /// Out of the store.
    Pull = 2,
}

/// Something that happened in a call. The library makes it; fields that do not belong to its kind are 0 or NULL. Later versions add fields at
/// the end, so look at `struct_size` before you read one that is newer than your oldest library.
#[repr(C)]
pub struct oci_chart_event {
    /// How large the library's struct is.
    pub struct_size: usize,
    /// An oci_chart_event_kind; a number that you do not know is to be ignored.
    pub kind: i32,
    /// An oci_chart_direction.
    pub direction: i32,
    /// The transfer, unique in this process.
    pub id: u64,
    /// Bytes moved so far.
    pub bytes: u64,
    /// Bytes that the whole transfer has.
    pub total: u64,
    /// The digest of what is moved.
    pub digest: *const c_char,
    /// The media type of what is moved.
    pub media_type: *const c_char,
    /// What is to be known, or what waits.
    pub text: *const c_char,
    /// Why it waits.
    pub why: *const c_char,
    /// For how many milliseconds it waits.
    pub wait_ms: u64,
    /// How often it was tried by now.
    pub attempt: u32,
}

/// An event with the texts that it points to.
pub(crate) struct Held {
    pub(crate) event: oci_chart_event,
    texts: Vec<CString>,
}

impl Held {
    pub(crate) fn new(event: Event) -> Self {
        let mut held = Self { event: EMPTY, texts: Vec::new() };
        let kind = match event {
            Event::Tick => oci_chart_event_kind::Tick,
            Event::Started(transfer) => held.transfer(&transfer, oci_chart_event_kind::Started),
            Event::Skipped(transfer) => held.transfer(&transfer, oci_chart_event_kind::Skipped),
            Event::Progress { id, bytes } => {
                (held.event.id, held.event.bytes) = (id, bytes);
                oci_chart_event_kind::Progress
            }
            Event::Finished { id } => {
                held.event.id = id;
                oci_chart_event_kind::Finished
            }
            Event::Warning(text) => {
                held.event.text = held.keep(text);
                oci_chart_event_kind::Warning
            }
            Event::Waiting { what, why, attempt, wait } => {
                (held.event.text, held.event.why) = (held.keep(what), held.keep(why));
                held.event.attempt = attempt;
                held.event.wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                oci_chart_event_kind::Waiting
            }
            other => {
                held.event.text = held.keep(format!("{other:?}"));
                oci_chart_event_kind::Other
            }
        };
        held.event.kind = kind as i32;
        held
    }

    fn transfer(&mut self, transfer: &context::Transfer, kind: oci_chart_event_kind) -> oci_chart_event_kind {
        let direction = match transfer.direction {
            context::Direction::Push => oci_chart_direction::Push,
            context::Direction::Pull => oci_chart_direction::Pull,
            _ => oci_chart_direction::None,
        };
        self.event.direction = direction as i32;
        (self.event.id, self.event.total) = (transfer.id, transfer.bytes);
        self.event.digest = self.keep(transfer.digest.to_string());
        self.event.media_type = self.keep(transfer.media_type.clone());
        kind
    }

    /// The text's bytes do not move with the vector.
    fn keep(&mut self, text: String) -> *const c_char {
        self.texts.push(c_text(text));
        self.texts.last().map_or(std::ptr::null(), |text| text.as_ptr())
    }
}

const EMPTY: oci_chart_event = oci_chart_event {
    struct_size: size_of::<oci_chart_event>(),
    kind: 0,
    direction: 0,
    id: 0,
    bytes: 0,
    total: 0,
    digest: std::ptr::null(),
    media_type: std::ptr::null(),
    text: std::ptr::null(),
    why: std::ptr::null(),
    wait_ms: 0,
    attempt: 0,
};
