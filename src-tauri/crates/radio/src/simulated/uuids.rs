//! The UUIDs of the lab's devices.

use uuid::Uuid;

/// The UUID that a 16-bit one stands for (Core Specification, Vol 3, Part B, 2.5.1).
#[must_use]
pub const fn short(uuid: u16) -> Uuid {
    Uuid::from_u128((uuid as u128) << 96 | 0x0000_0000_0000_1000_8000_0080_5F9B_34FB)
}

/// The vendor service of `Virtual HR`.
pub const VENDOR: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef0);
/// `Virtual HR`: 20 bytes, 50 times a second; notify, read.
pub const STREAM: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef1);
/// `Virtual HR`: a register; read, write, write without response.
pub const SCRATCH: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef2);
/// `Virtual HR`: makes it hang up; write.
pub const CONTROL: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef3);

/// The service of `Motion sensor`.
pub const MOTION: Uuid = Uuid::from_u128(0x6d6f7469_6f6e_4c41_8b00_000000000001);
/// `Motion sensor`: nine axes with a sequence counter; notify.
pub const MOTION_STREAM: Uuid = Uuid::from_u128(0x6d6f7469_6f6e_4c41_8b00_000000000002);
/// `Motion sensor`: how many samples a second; read, write.
pub const MOTION_RATE: Uuid = Uuid::from_u128(0x6d6f7469_6f6e_4c41_8b00_000000000003);
/// `Motion sensor`: one axis, stamped by the sensor's own clock, four samples a value; notify.
pub const MOTION_STAMPED: Uuid = Uuid::from_u128(0x6d6f7469_6f6e_4c41_8b00_000000000004);

/// The UART service that Nordic Semiconductor defined.
pub const UART: Uuid = Uuid::from_u128(0x6e400001_b5a3_f393_e0a9_e50e24dcca9e);
/// `UART echo`: what is written here is notified on [`UART_TX`]; write, write without response.
pub const UART_RX: Uuid = Uuid::from_u128(0x6e400002_b5a3_f393_e0a9_e50e24dcca9e);
/// `UART echo`: what the device sends; notify.
pub const UART_TX: Uuid = Uuid::from_u128(0x6e400003_b5a3_f393_e0a9_e50e24dcca9e);

const fn difficult(last: u16) -> Uuid {
    Uuid::from_u128(0xd1ff1c00_7e57_4000_8000_000000000000 | last as u128)
}

/// `Difficult`: the UUID of two of its services.
pub const TWIN_SERVICE: Uuid = difficult(0x0001);
/// `Difficult`: the service of everything else.
pub const TRAPS: Uuid = difficult(0x0002);
/// `Difficult`: stands four times, in three services; read, write.
pub const TWIN: Uuid = difficult(0x00D1);
/// `Difficult`: 512 bytes; read, write.
pub const LONG_VALUE: Uuid = difficult(0x0512);
/// `Difficult`: refuses reads and writes with the application error 0x80.
pub const APPLICATION_ERROR: Uuid = difficult(0x0080);
/// `Difficult`: refuses reads with 0x05, Insufficient Authentication.
pub const UNAUTHENTICATED: Uuid = difficult(0x0005);
/// `Difficult`: refuses reads with 0x08, Insufficient Authorization.
pub const UNAUTHORIZED: Uuid = difficult(0x0008);
/// `Difficult`: claims to be readable and refuses with 0x02, Read Not Permitted.
pub const UNREADABLE: Uuid = difficult(0x000E);
/// `Difficult`: reads as no bytes at all.
pub const EMPTY: Uuid = difficult(0x0000);
/// `Difficult`: takes up to 4 bytes and refuses more with 0x0D; read, write.
pub const FOUR_BYTES: Uuid = difficult(0x0004);
/// `Difficult`: u32 counting from 0, 5 times a second; notify and indicate.
pub const BOTH: Uuid = difficult(0x0033);
/// `Difficult`: u32 counting from 0, 20 times a second, of which some are lost in the device; notify.
pub const LOSSY: Uuid = difficult(0x1055);

const fn lock(last: u16) -> Uuid {
    Uuid::from_u128(0x6c6f636b_7e57_4000_8000_000000000000 | last as u128)
}

/// `Door lock`: its service.
pub const LOCK: Uuid = lock(0x0001);
/// `Door lock`: what stands on its display, its passkey; read.
pub const LOCK_DISPLAY: Uuid = lock(0x0002);
/// `Door lock`: how it pairs: 0 just works, 1 passkey entry, 2 passkey display, 3 numeric comparison; read, write.
pub const LOCK_METHOD: Uuid = lock(0x0003);
/// `Door lock`: 0 open, 1 shut; read and write, refused with 0x05 to those who are not paired.
pub const LOCK_STATE: Uuid = lock(0x0004);
