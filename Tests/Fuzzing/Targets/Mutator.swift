internal import TestSupport

/// Makes inputs from others: bits and bytes that change, runs that come, go or move, numbers in a text that are replaced.
package struct Mutator {
    private var generator: SeededGenerator
    private let seeds: [[UInt8]]

    /// Numbers at which readers are off by one, or overflow.
    private static let numbers = [
        "0", "1", "-1", "2", "15", "16", "255", "65535", "65536", "262144", "262145", "2147483648", "4294967295",
        "9223372036854775807", "9223372036854775808", "4611686018427387904", "1e308", "1e-320", "0.5", "null", "[]",
        "{}",
        "\"\"",
    ]
    private static let bytes: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x22, 0x5B, 0x7B, 0x7D]
    /// No input grows beyond this.
    private static let limit = 1 << 17

    /// Inputs from `seeds`, the same for the same number.
    package init(_ seeds: [[UInt8]], seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        self.seeds = seeds.isEmpty ? [[]] : seeds
    }

    /// The next input.
    package mutating func next() -> [UInt8] {
        var input = seeds[generator.below(seeds.count)]
        for _ in 0...generator.below(4) { change(&input) }
        return Array(input.prefix(Mutator.limit))
    }

    private mutating func range(_ count: Int, atMost limit: Int) -> Range<Int> {
        let start = generator.below(count + 1)
        return start..<min(count, start + generator.below(limit) + 1)
    }

    private mutating func change(_ input: inout [UInt8]) {
        switch generator.below(10) {
        case 0 where !input.isEmpty: input[generator.below(input.count)] ^= 1 << UInt8(generator.below(8))
        case 1 where !input.isEmpty:
            input[generator.below(input.count)] = Mutator.bytes[generator.below(Mutator.bytes.count)]
        case 2 where !input.isEmpty: input[generator.below(min(input.count, 24))] = UInt8(generator.below(256))
        case 3: input.removeSubrange(range(input.count, atMost: 8))
        case 4: input.removeLast(generator.below(input.count + 1))
        case 5:
            let copy = input[range(input.count, atMost: 64)]
            input.insert(contentsOf: copy, at: generator.below(input.count + 1))
        case 6:
            let other = seeds[generator.below(seeds.count)]
            let part = other[range(other.count, atMost: 256)]
            input.replaceSubrange(range(input.count, atMost: 256), with: part)
        case 7, 8: changeNumber(&input)
        default: input.insert(contentsOf: generator.bytes(1 + generator.below(8)), at: generator.below(input.count + 1))
        }
    }

    /// Puts another number in the place of digits, if there are any after some place.
    private mutating func changeNumber(_ input: inout [UInt8]) {
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        let from = generator.below(input.count + 1)
        guard let start = input[from...].firstIndex(where: isDigit) else { return }
        let end = input[start...].firstIndex { !isDigit($0) } ?? input.count
        input.replaceSubrange(start..<end, with: Mutator.numbers[generator.below(Mutator.numbers.count)].utf8)
    }
}
