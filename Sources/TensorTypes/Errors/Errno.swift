/// The number with which a system call failed.
public struct Errno: RawRepresentable, Sendable, Hashable {
    /// The value of `errno`.
    public let rawValue: Int32

    /// The failure of this number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
}
