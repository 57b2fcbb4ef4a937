//! A call from another program that begins a routine's work: whether it is genuine (`signature`), and whether it is
//! one of those that are meant (`filter`). Both are pure; what a call then does is the inbox's.

pub mod filter;
pub mod signature;
