//! Any text as a stored row, as it is and with a valid checksum; what is read must survive a round trip.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_store::Row;

fuzz_target!(|line: &str| {
    let _ = Row::from_line(line);
    let Ok(row) = Row::from_line(&vbench_fuzz::with_checksum(line)) else { return };
    let line = row.to_line().expect("what was read can be written");
    assert_eq!(Row::from_line(&line).expect("what was written can be read"), row);
});
