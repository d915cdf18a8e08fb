import TensorTypes
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("What tests are made with")
struct TestSupportTests {
    @Test("the generator is SplitMix64")
    func generator() {
        // From the reference implementation (Vigna), with the seed 1234567.
        var generator = SeededGenerator(seed: 1_234_567)
        let first = (0..<5).map { _ in generator.next() }
        #expect(
            first == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("random bytes are the words' little-endian bytes, as many as asked for", arguments: [0, 1, 7, 8, 9, 31])
    func bytes(count: Int) {
        var (words, bytes) = (SeededGenerator(seed: 3), SeededGenerator(seed: 3))
        let expected = (0..<4).flatMap { _ -> [UInt8] in
            let word = words.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
        }
        #expect(bytes.bytes(count) == Array(expected.prefix(count)))
    }

    @Test("numbers below a bound come about equally often")
    func below() {
        var generator = SeededGenerator(seed: 4)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 { counts[generator.below(10)] += 1 }
        #expect(counts.allSatisfy { (850...1_150).contains($0) })
        #expect((0..<100).allSatisfy { _ in generator.below(1) == 0 })
    }

    @Test("a directory is there as long as its object, with what was written")
    func directory() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        try directory?.write([1, 2], to: "a/b")
        try directory?.makeDirectory("c")
        try directory?.link("d", to: "a/b")
        directory?.makePipe("e")
        #expect(directory?.names == ["a", "c", "d", "e"] && directory?.read("a/b") == [1, 2])
        #expect(directory?.read("d") == [1, 2] && directory?.read("missing") == nil)
        #expect(directory?.isLink("d") == true && directory?.isLink("a") == false)
        #expect(directory?.permissions("e") == 0o600)
        try directory?.remove("a")
        #expect(directory?.names == ["c", "d", "e"])
        directory = nil
        let isGone = unsafe access(path, F_OK) != 0
        #expect(isGone)
        let (one, other) = try (TemporaryDirectory(), TemporaryDirectory())
        #expect(one.path != other.path)
    }

    @Test("errors of Silt's are caught, others are not theirs")
    func failures() {
        struct Other: Error {}
        #expect(code { throw SiltError(.io, "x") } == .io && failure { throw SiltError(.io, "x") }?.message == "x")
        #expect(code {} == nil && code { throw Other() } == nil)
    }

    private static let layouts = [DType.f32, .f16, .bf16, .f8E4M3].compactMap(\.floatLayout)

    @Test("patterns are of their kind and width", arguments: BitPatterns.Kind.allCases, [0, 1, 2, 3])
    func patterns(kind: BitPatterns.Kind, index: Int) {
        let layout = Self.layouts[index]
        var generator = SeededGenerator(seed: 5)
        let patterns = BitPatterns(kind, layout, count: 3_000, using: &generator)
        let mask = UInt32.max >> UInt32(32 - layout.width)
        #expect(patterns.values.count == 3_000 && patterns.values.allSatisfy { $0 <= mask })
        #expect(patterns.bytes.count == 3_000 * layout.width / 8)
        let exponents = patterns.values.map {
            $0 >> UInt32(layout.mantissaBits) & (1 << UInt32(layout.exponentBits) - 1)
        }
        let highest = UInt32(1) << UInt32(layout.exponentBits) - 1
        switch kind {
        case .weights: #expect(exponents.allSatisfy { $0 > 0 && $0 < highest })
        case .subnormal: #expect(exponents.allSatisfy { $0 == 0 })
        case .special: #expect(exponents.contains(highest) && exponents.contains(0))
        case .all where layout.width == 16:
            #expect(patterns.values == (0..<3_000).map { UInt32($0) })
        case .random, .all: #expect(Set(exponents).count > min(10, Int(highest) / 2))
        }
    }

    @Test("patterns move as they are told")
    func movements() throws {
        let layout = try #require(DType.bf16.floatLayout)
        var generator = SeededGenerator(seed: 6)
        let patterns = BitPatterns(.weights, layout, count: 4_000, using: &generator)
        func changed(_ movement: BitPatterns.Movement) -> [Bool] {
            let moved = patterns.moved(movement, unit: 1_000, using: &generator)
            return zip(patterns.values, moved.values).map { $0 != $1 }
        }
        #expect(!changed(.still).contains(true))
        #expect((40...160).contains(changed(.light).count { $0 }))
        #expect(changed(.heavy).count { $0 } > 3_900)
        // Unit by unit: still, light, a few steps, heavy.
        let mixed = changed(.mixed)
        let units = (0..<4).map { unit in mixed[unit * 1_000..<(unit + 1) * 1_000].count { $0 } }
        #expect(units[0] == 0 && units[1] < 60 && units[2] > 800 && units[3] > 950)
    }

    @Test("guarded bytes can be read to the end of their padding")
    func guarded() {
        for count in [0, 1, 100, 4_096, 5_000] {
            let bytes = [UInt8](repeating: 7, count: count)
            let sum = unsafe GuardedBytes.with(bytes) { start in
                (0..<count + ByteBuffer.padding).reduce(0) { unsafe $0 + Int(start[$1]) }
            }
            #expect(sum == 7 * count)
        }
    }

    @Test("committed files are found")
    func repository() {
        #expect(Repository.text("Package.swift").hasPrefix("// swift-tools-version"))
        #expect(Repository.bytes("no such file") == nil && Repository.text("no such file").isEmpty)
        #expect(Repository.names(in: "Tests").contains("TestSupport") && Repository.names(in: "no such").isEmpty)
    }
}
