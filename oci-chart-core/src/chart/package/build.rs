use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
};

use super::{
    EntryTimes, Package, PackageOptions, PackagePreview,
    entries::{Entry, Source, entries},
};
use crate::{
    chart::{
        Chart, LoadOptions, Metadata, Timestamp, epoch::nearest_unix, file::BYTE_ORDER_MARK,
        gzip::GzipWriter, tar::TarWriter,
    },
    content::ContentWriter,
    digest::Hasher,
    error::{Error, Result},
    name::ChartVersion,
};

/// Read at a time.
const CHUNK: usize = 64 << 10;

/// Below so many bytes a second thread costs more than it gains.
const PARALLEL: u64 = 768 << 10;

/// Charts shrink to a fifth and less. Memory that is asked for and not used costs nothing.
const RATIO: u64 = 4;

impl Chart {
    /// Packages the chart as Helm 4.2 does: the same tar for the same times, in Helm's gzip frame. The same tree gives the same bytes on every machine,
    /// whatever the files' times, owners, modes and order, the number of threads, or the CPU.
    ///
    /// Nothing in the chart's directory changes. Its files are read here, each once; one that changed since the chart was loaded is a
    /// [`Conflict`](crate::ErrorKind::Conflict).
    ///
    /// # Errors
    ///
    /// [`InvalidChart`](crate::ErrorKind::InvalidChart) for missing dependencies (with Helm's words), a schema that is no JSON or an override that breaks a
    /// rule; [`InvalidVersion`](crate::ErrorKind::InvalidVersion); [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn package(&self, options: &PackageOptions) -> Result<Package> {
        let build = || {
            let metadata = self.packaged_metadata(options)?;
            let entries = entries(self, &metadata)?;
            let time = time_of(options)?;
            let bytes: u64 = entries.iter().map(Entry::bytes).sum();
            let expected = usize::try_from(bytes / RATIO).unwrap_or(usize::MAX);
            let out =
                Out { content: ContentWriter::default().expecting(expected), hasher: Hasher::default() };
            let threads = if bytes < PARALLEL { Some(NonZeroUsize::MIN) } else { options.threads };
            let mut tar = TarWriter::new(GzipWriter::new(out, threads, options.cancel.clone())?);
            let largest = entries.iter().map(Entry::bytes).max().unwrap_or(0);
            let mut buffer = vec![0; CHUNK.min(usize::try_from(largest).unwrap_or(CHUNK))];
            for entry in &entries {
                options.cancel.check()?;
                let modified = match options.entry_times {
                    EntryTimes::One => None,
                    EntryTimes::Source => entry.modified.map(nearest_unix),
                };
                write(&mut tar, entry, modified.unwrap_or(time), &mut buffer)
                    .map_err(|error| Error::from(error).with_context("file", &entry.path))?;
            }
            let Out { content, hasher } = tar.finish()?.finish()?;
            Ok(Package::new(content.finish()?, hasher.finish(), Some(metadata), None, LoadOptions::default()))
        };
        build().map_err(|error: Error| error.with_operation("package").with_context("chart", self.name()))
    }

    /// What [`package`](Self::package) would pack, in its order, and what stays out and why. Reads no file but the schema.
    ///
    /// # Errors
    ///
    /// As `package`, as far as they show without packing.
    pub fn preview(&self, options: &PackageOptions) -> Result<PackagePreview> {
        let build = || {
            let metadata = self.packaged_metadata(options)?;
            Ok(PackagePreview::new(&entries(self, &metadata)?, self.skipped()))
        };
        build().map_err(|error: Error| error.with_operation("preview").with_context("chart", self.name()))
    }

    /// The metadata with the options' overrides, by the same rules as when it was loaded.
    fn packaged_metadata(&self, options: &PackageOptions) -> Result<Metadata> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut metadata = self.metadata().clone();
        if let Some(version) = given(&options.version) {
            ChartVersion::parse(&version)?;
            metadata.version = version;
        }
        if let Some(version) = given(&options.app_version) {
            metadata.app_version = version;
        }
        self.check_packageable()?;
        metadata.validate()?;
        Ok(metadata)
    }
}

fn time_of(options: &PackageOptions) -> Result<i64> {
    let time = match options.time {
        Some(time) => time,
        None => Timestamp::from_environment()?.unwrap_or(Timestamp::FIXED),
    };
    Ok(i64::try_from(time.unix()).unwrap_or(i64::MAX))
}

/// Writes one entry. The first piece is read before the header, since a byte order mark is no part of the file.
fn write(
    tar: &mut TarWriter<impl Write>,
    entry: &Entry<'_>,
    modified: i64,
    buffer: &mut [u8],
) -> io::Result<()> {
    let file = match &entry.source {
        Source::Text(text) => {
            tar.entry(&entry.path, text.len() as u64, modified)?;
            return tar.write_all(text.as_bytes());
        }
        Source::File(file) => file,
    };
    let content = file.content();
    if let Some(bytes) = content.as_bytes() {
        tar.entry(&entry.path, bytes.len() as u64, modified)?;
        return tar.write_all(bytes);
    }
    let mut reader = content.open()?;
    let mut left = content.len();
    let mut piece = next(&mut reader, buffer, &mut left)?;
    piece = piece.strip_prefix(BYTE_ORDER_MARK).unwrap_or(piece);
    tar.entry(&entry.path, piece.len() as u64 + left, modified)?;
    loop {
        tar.write_all(piece)?;
        if left == 0 {
            return Ok(());
        }
        piece = next(&mut reader, buffer, &mut left)?;
    }
}

/// The next bytes of a file that has `left` of them, as many as the buffer holds.
fn next<'a>(reader: &mut impl Read, buffer: &'a mut [u8], left: &mut u64) -> io::Result<&'a [u8]> {
    let wanted = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    let piece = buffer.get_mut(..wanted).unwrap_or_default();
    reader.read_exact(piece)?;
    *left -= wanted as u64;
    Ok(piece)
}

/// Keeps the bytes and computes their digest while they flow.
struct Out {
    content: ContentWriter,
    hasher: Hasher,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.content.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.content.flush()
    }
}
