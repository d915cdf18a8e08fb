/// Takes numbers and runs of bytes from an input; where it has ended, zeros and empty runs.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> Int {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return Int(bytes[position])
    }

    /// 16 bits, little-endian.
    mutating func short() -> Int { byte() | byte() << 8 }

    /// 32 bits, little-endian.
    mutating func word() -> UInt32 { UInt32(short()) | UInt32(short()) << 16 }

    /// One of several.
    mutating func choice<Element>(_ elements: [Element]) -> Element { elements[byte() % elements.count] }

    /// At most `count` bytes.
    mutating func take(_ count: Int) -> [UInt8] {
        let end = position + min(max(0, count), bytes.count - position)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    /// A run that begins with its length in 16 bits.
    mutating func run() -> [UInt8] { take(short()) }

    /// All that is left.
    mutating func rest() -> [UInt8] { take(bytes.count) }
}

/// Writes what `FuzzInput` reads.
struct FuzzOutput {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: Int) { bytes.append(UInt8(truncatingIfNeeded: value)) }

    mutating func short(_ value: Int) {
        byte(value)
        byte(value >> 8)
    }

    mutating func word(_ value: UInt32) {
        short(Int(value & 0xFFFF))
        short(Int(value >> 16))
    }

    /// The number by which `FuzzInput.choice` finds `element`.
    mutating func choice<Element: Equatable>(_ element: Element, of elements: [Element]) {
        byte(elements.firstIndex(of: element) ?? 0)
    }

    mutating func run(_ bytes: [UInt8]) {
        short(min(bytes.count, 65_535))
        self.bytes += bytes.prefix(65_535)
    }

    mutating func rest(_ bytes: [UInt8]) { self.bytes += bytes }
}
