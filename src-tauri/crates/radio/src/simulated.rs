//! A lab of virtual devices that needs no hardware.
