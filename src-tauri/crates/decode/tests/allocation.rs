//! Decoding a value allocates nothing: it happens for every sample of every plotted attribute.

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use std::hint::black_box;

use decode::advertisement::{self, AdType, Beacon};
use decode::{Format, Presentation, Presented, Sig};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what this thread asks for.
struct Counting;

#[expect(unsafe_code, reason = "the only way to see an allocation")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, at: *mut u8, memory: Memory) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, memory) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn decoding_and_columns_allocate_nothing() {
    let bytes = [0x1F, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for text in [
        "sig:2A37",
        "sig:2A00",
        "layout:seq:u16le!count, a:u8.0, b:u8.1-3, acc:i16le[3]*0.001 g, f:f32le, rest:utf8",
        "layout:x:i24be[]*0.01+4 mV",
        "layout:n:u8.0-1, {t:u8{1=off}, v:i8{-1=none}*0.5 V}[n], b:bcd16be??, m:medfloat16*0.1, h:f16le, rest:hex",
        "layout:f:u8{.0=a, .4=b}, a:u24le.4-15?f.0 V, b:medfloat32?f.1, n:u8?f!=3, c:utf8[n], d:i16le[]?f.2=1",
        "presented:0EFE2F27010000,16002F27010000,19000027010000",
    ] {
        let format: Format = text.parse().unwrap();
        let mut fields = 0;
        let made = allocations(|| {
            for end in 0..=bytes.len() {
                black_box(format.decode(&bytes[..end], |field| {
                    fields += 1;
                    black_box(field.number());
                }));
                format.columns(&bytes[..end], &mut |column, number| {
                    black_box((column, number));
                });
            }
        });
        assert_eq!(made, 0, "{text}");
        assert!(fields > bytes.len(), "{text} decoded something");
    }
}

#[test]
fn no_standard_format_allocates() {
    let mut numbers = 0;
    for sig in Sig::all() {
        for fill in [0x00, 0x07, 0x3F, 0xFF] {
            let bytes = [fill; 40];
            let made = allocations(|| {
                for end in 0..=bytes.len() {
                    black_box(sig.decode(&bytes[..end], |field| {
                        black_box(field.number());
                    }));
                    sig.columns(&bytes[..end], &mut |column, number| {
                        numbers += 1;
                        black_box((column, number));
                    });
                }
            });
            assert_eq!(made, 0, "{sig:?}");
        }
    }
    assert!(numbers > 10_000, "{numbers}");
}

#[test]
fn no_presentation_allocates() {
    let mut numbers = 0;
    for kind in 0..=0x20_u8 {
        let all = [kind, kind, 0x0E].map(|kind| [kind, 0xFE, 0x2F, 0x27, 1, 0x0B, 1]);
        let all = all
            .iter()
            .filter_map(|descriptor| Presentation::read(descriptor));
        let Some(presented) = Presented::aggregate(all.collect()) else {
            continue;
        };
        for fill in [0x00, 0x07, 0xD8, 0xFF] {
            let bytes = [fill; 40];
            let made = allocations(|| {
                for end in 0..=bytes.len() {
                    black_box(presented.decode(&bytes[..end], |field| {
                        black_box(field.number());
                    }));
                    presented.columns(&bytes[..end], &mut |column, number| {
                        numbers += 1;
                        black_box((column, number));
                    });
                }
            });
            assert_eq!(made, 0, "{presented}");
        }
    }
    assert!(numbers > 5000, "{numbers}");
}

#[test]
fn no_advertisement_allocates() {
    let mut numbers = 0;
    // A row of BTHome's objects, of Apple's messages, and bytes of one kind.
    let row = [
        0x40, 0, 9, 1, 93, 2, 0xCA, 9, 2, 0xCF, 9, 3, 0xB7, 0x18, 0x53, 2, b'a', b'b',
    ];
    let messages = [
        0x10, 5, 3, 0x1C, 1, 2, 3, 0x07, 25, 1, 0x0E, 0x20, 0x55, 0x99, 0x37,
    ];
    for beacon in Beacon::all() {
        for bytes in [&row[..], &messages, &[0; 40], &[0x17; 40], &[0xFF; 40]] {
            let made = allocations(|| {
                for end in 0..=bytes.len() {
                    black_box(beacon.decode(&bytes[..end], |field| {
                        black_box(field.number());
                    }));
                    beacon.columns(&bytes[..end], &mut |column, number| {
                        numbers += 1;
                        black_box((column, number));
                    });
                }
            });
            assert_eq!(made, 0, "{beacon:?}");
        }
    }
    assert!(numbers > 5_000, "{numbers}");
    let made = allocations(|| {
        for kind in 0..=u8::MAX {
            black_box(advertisement::decode_structure(
                AdType(kind),
                &row,
                |field| {
                    black_box(field.number());
                },
            ));
        }
    });
    assert_eq!(made, 0);
}

#[test]
fn the_count_sees_an_allocation() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1_u8)))), 1);
}
