//! The system's Bluetooth through the `btleplug` library: BlueZ, CoreBluetooth, WinRT.
