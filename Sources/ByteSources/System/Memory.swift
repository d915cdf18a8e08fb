#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The machine's memory.
package enum Memory {
    /// Bytes of it; the largest number where the system does not say.
    package static var physicalBytes: Int {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        guard pages > 0, size > 0 else { return .max }
        let bytes = pages.multipliedReportingOverflow(by: size)
        return bytes.overflow ? .max : bytes.partialValue
    }
}
