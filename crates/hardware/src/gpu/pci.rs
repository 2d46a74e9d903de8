//! Names of PCI devices from the list that Linux systems carry (`pci.ids`), where they carry it.

use std::path::Path;

/// Where systems keep it.
const PLACES: [&str; 3] = ["/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids", "/usr/share/pci.ids"];

/// The product's name, if this system has the list and the list has the product.
pub(super) fn name(vendor: u16, device: u16) -> Option<String> {
    let list = PLACES.iter().find_map(|place| std::fs::read(Path::new(place)).ok())?;
    find(&String::from_utf8_lossy(&list), vendor, device)
}

/// A line `10de  NVIDIA Corporation`, then lines `<tab>25a2  GA107M [GeForce RTX 3050 Mobile]`: what is in brackets is the
/// name on the box, before them is the chip's.
fn find(list: &str, vendor: u16, device: u16) -> Option<String> {
    let vendor = format!("{vendor:04x}  ");
    let device = format!("\t{device:04x}  ");
    let products = list.lines().skip_while(|line| !line.starts_with(&vendor)).skip(1);
    let mut products = products.take_while(|line| line.starts_with(['\t', '#']) || line.is_empty());
    let name = products.find_map(|line| line.strip_prefix(&device))?.trim();
    let inner = name.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inner, _)| inner);
    Some(inner.unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# comment\n\
        1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\
        \t15bf  Phoenix1\n\
        10de  NVIDIA Corporation\n\
        \t2504  GA106 [GeForce RTX 3060 Lite Hash Rate]\n\
        \t\t1043 8810  A board\n\
        \t25a2  GA107M [GeForce RTX 3050 Mobile]\n\
        8086  Intel Corporation\n\
        \t46a6  Alder Lake-P GT2 [Iris Xe Graphics]\n";

    #[test]
    fn names_are_found_below_their_maker() {
        assert_eq!(find(LIST, 0x10de, 0x25a2).as_deref(), Some("GeForce RTX 3050 Mobile"));
        assert_eq!(find(LIST, 0x1002, 0x15bf).as_deref(), Some("Phoenix1"));
        assert_eq!(find(LIST, 0x8086, 0x46a6).as_deref(), Some("Iris Xe Graphics"));
        // Another maker's number.
        assert_eq!(find(LIST, 0x1002, 0x25a2), None);
        assert_eq!(find(LIST, 0x10de, 0x1043), None);
        assert_eq!(find("", 0x10de, 0x25a2), None);
    }
}
