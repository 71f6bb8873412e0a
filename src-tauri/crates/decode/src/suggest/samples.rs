//! Several samples in one value: what follows one another within a value as it does across values.

use super::measure::{Candidate, What, bits_of};
use super::{FIELD_COST, Observed};
use crate::number::{Class, Endian, NumberType};

/// Values looked at: within them there are many samples.
const PACKETS: usize = 96;
/// Bytes before the samples, at most.
const HEADER: usize = 12;
/// Numbers of one sample, at most.
const CHANNELS: usize = 9;
/// Samples in a value, at least.
const FEWEST: usize = 3;

/// Every reading of the values as a header and samples to their end that saves something.
pub(super) fn repeated(values: &[Observed<'_>], shortest: usize) -> Vec<Candidate> {
    let latest = values
        .get(values.len().saturating_sub(PACKETS)..)
        .unwrap_or_default();
    let kinds = [
        (Class::Signed, 8),
        (Class::Unsigned, 8),
        (Class::Signed, 16),
        (Class::Unsigned, 16),
        (Class::Signed, 24),
        (Class::Unsigned, 24),
        (Class::Signed, 32),
    ];
    let mut all = Vec::new();
    for (class, bits) in kinds {
        for order in [Endian::Little, Endian::Big] {
            let Some(number) = NumberType::new(class, bits, order) else {
                continue;
            };
            if bits == 8 && order == Endian::Big {
                continue;
            }
            for at in 0..=HEADER.min(shortest) {
                for channels in 1..=CHANNELS {
                    let size = channels * number.size();
                    let whole = |value: &Observed<'_>| {
                        let room = value.bytes.len() - at;
                        room.is_multiple_of(size) && room / size >= FEWEST
                    };
                    if values.iter().all(whole) {
                        all.extend(samples(values, latest, number, at, channels));
                    }
                }
            }
        }
    }
    all
}

fn samples(
    values: &[Observed<'_>],
    latest: &[Observed<'_>],
    number: NumberType,
    at: usize,
    channels: usize,
) -> Option<Candidate> {
    // Changes from sample to sample within a value and into the next one; and, for comparison, of
    // the same place from value to value.
    let (mut within, mut steps, mut across, mut places) = (0.0, 0_usize, 0.0, 0_usize);
    let mut before: Vec<f64> = Vec::new();
    let mut numbers: Vec<f64> = Vec::new();
    for value in latest {
        numbers.clear();
        let chunks = value.bytes.get(at..)?.chunks_exact(number.size());
        numbers.extend(chunks.filter_map(|bytes| Some(number.read(bytes)?.as_f64())));
        for (index, new) in numbers.iter().enumerate() {
            let old = match index.checked_sub(channels) {
                Some(index) => numbers.get(index),
                None => (before.len() + index)
                    .checked_sub(channels)
                    .and_then(|index| before.get(index)),
            };
            if let Some(old) = old {
                within += (new - old).abs();
                steps += 1;
            }
        }
        for (new, old) in numbers.iter().zip(&before) {
            across += (new - old).abs();
            places += 1;
        }
        std::mem::swap(&mut before, &mut numbers);
    }
    let within = within / steps.max(1) as f64;
    let across = across / places.max(1) as f64;
    // Samples that are closer in time are closer in value; fields of one sample are not.
    if within >= 0.8 * across {
        return None;
    }
    let each = f64::from(number.bits()) - bits_of(within);
    let lengths = values.iter().map(|value| value.bytes.len());
    let bytes = lengths.clone().sum::<usize>() / values.len().max(1) - at;
    let elements = (bytes / number.size()) as f64;
    let saved = each * elements - FIELD_COST * channels as f64;
    let size = channels * number.size();
    (each > FIELD_COST / FEWEST as f64 + 1.0).then_some(Candidate {
        at,
        size: lengths.clone().max()? - at,
        saved,
        what: What::Samples {
            number,
            channels,
            within,
            across,
            packets: latest.len(),
            fewest: (lengths.clone().min()? - at) / size,
            most: (lengths.max()? - at) / size,
        },
    })
}
