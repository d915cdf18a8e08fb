/// A failed system call: the number that it left in `errno`.
package struct SystemError: Error, Hashable {
    /// The value of `errno`.
    package let number: Int32

    package init(number: Int32) { self.number = number }

    /// What the number means.
    ///
    /// A full disk is said in plain words, whatever the C library calls it.
    package var text: String {
        switch number {
        case System.noSpace: "no space left on the device"
        case System.quota: "no space left within the disk quota"
        case System.tooLarge: "no space left for so large a file (limit of the file system or of the process)"
        default: System.text(of: number)
        }
    }

    /// Whether the call failed because nothing bears the name.
    package var isMissing: Bool { System.missing.contains(number) }
}
