import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

/// The decoder of section 12.5, read literally, with integers of unbounded room.
private struct SlowAdaptive {
    private var stream: [UInt8]
    private(set) var position = 0
    private var range = 0xFFFF_FFFF
    private var code = 0
    private var contexts: [[Int]: (p: Int, n: Int)] = [:]
    private var mean = 0

    init(_ stream: [UInt8]) {
        self.stream = stream
        for _ in 0..<4 { code = code * 256 + next() }
    }

    private mutating func next() -> Int {
        defer { position += 1 }
        return position < stream.count ? Int(stream[position]) : 0
    }

    private mutating func fill() {
        while range < 1 << 24 {
            range = range * 256 % (1 << 32)
            code = (code * 256 + next()) % (1 << 32)
        }
    }

    private mutating func bit(_ name: [Int]) -> Int {
        var (p, n) = contexts[name] ?? (32_768, 0)
        let bound = (range >> 16) * min(max(p, 32), 65_504)
        let gain = 131_072 / (2 * n + 3)
        let bit = code < bound ? 0 : 1
        if bit == 0 {
            range = bound
            p += ((65_536 - p) * gain) >> 16
        } else {
            code -= bound
            range -= bound
            p -= (p * gain) >> 16
        }
        n = min(n + 1, 254)
        contexts[name] = (p, n)
        fill()
        return bit
    }

    private mutating func plain() -> Int {
        range >>= 1
        let bit = code < range ? 0 : 1
        if bit == 1 { code -= range }
        fill()
        return bit
    }

    private func length(_ x: Int) -> Int { (0...32).first { x >> $0 == 0 } ?? 0 }

    mutating func integer(isSigned: Bool) -> Int {
        let x = mean >> 4
        let l = length(x)
        let k = l < 2 ? 2 * l : min(31, 2 * l + (x >> (l - 2)) & 1)
        var e = 0
        while e < 24, bit([0, k, min(e, 15)]) == 1 { e += 1 }
        var m = e == 0 ? 0 : 1
        var first = 0
        for index in 0..<max(e - 1, 0) {
            var next = 0
            switch index {
            case 0:
                first = bit([1, e, 0])
                next = first
            case 1: next = bit([1, e, 1 + first])
            default: next = plain()
            }
            m = 2 * m + next
        }
        let isNegative = isSigned && m > 0 && plain() == 1
        let difference = 256 * min(m, 4_095) - mean
        mean += Int((Double(difference) / 16).rounded(.down))
        return isNegative ? -m : m
    }
}

@Suite("Adaptive streams (section 12.5)")
struct AdaptiveStreamTests {
    private func decode(_ stream: [UInt8], count: Int, isSigned: Bool) -> Result<[Int32], ChunkError> {
        let buffer = ByteBuffer(stream)
        var values = [Int32](repeating: 0, count: count + 1)
        do throws(ChunkError) {
            try unsafe AdaptiveStream.decode(
                UnsafeRawBufferPointer(buffer.prefix(stream.count)), count: count, isSigned: isSigned, into: &values)
            return .success(Array(values.dropLast()))
        } catch {
            return .failure(error)
        }
    }

    private func gaussian(_ count: Int, sigma: Double, _ generator: inout SeededGenerator) -> [Int32] {
        (0..<count).map { _ in Int32((generator.gaussian() * sigma).rounded()) }
    }

    @Test("round trip, and as the text says", arguments: [true, false])
    func roundTrip(isSigned: Bool) throws {
        var generator = SeededGenerator(seed: 3)
        let top: Int32 = (1 << 24) - 1
        var cases: [[Int32]] = [
            [], [0], [1], [top], [0, 0, 0, 0], [Int32](repeating: 0, count: 5_000), [top, 0, top, 0, 1, top],
            (0..<2_000).map { $0 % 2 == 0 ? top : 0 }, [Int32](repeating: top, count: 3_000),
            (0..<25).map { 1 << $0 - ($0 == 24 ? 1 : 0) },
            [Int32](repeating: 0, count: 3_000) + [top] + [Int32](repeating: 0, count: 3_000),
        ]
        for sigma in [0.05, 0.3, 1, 20, 3_000, 1e6] { cases.append(gaussian(3_000, sigma: sigma, &generator)) }
        cases.append((0..<3_000).map { _ in Int32(truncatingIfNeeded: generator.next() >> (40 + generator.below(24))) })
        for each in cases {
            let values = isSigned ? each.enumerated().map { $0 % 3 == 1 ? -$1 : $1 } : each.map { abs($0) }
            let stream = AdaptiveStream.encode(values, isSigned: isSigned)
            #expect(stream.last != 0)
            let isEqual = try decode(stream, count: values.count, isSigned: isSigned).get() == values
            #expect(isEqual)
            var slow = SlowAdaptive(stream)
            let isSame = values.allSatisfy { slow.integer(isSigned: isSigned) == Int($0) }
            #expect(isSame && slow.position >= stream.count)
        }
        #expect(AdaptiveStream.encode([Int32](repeating: 0, count: 5_000), isSigned: true).isEmpty)
    }

    @Test("within 3 % of the entropy")
    func efficiency() {
        var generator = SeededGenerator(seed: 4)
        let values = gaussian(20_000, sigma: 1, &generator)
        let geometric = (0..<20_000).map { _ in
            Int32((SeededGenerator.log(1 - generator.unit()) / SeededGenerator.log(0.95)).rounded(.down))
        }
        for (values, isSigned) in [(values, true), (geometric, false)] {
            let bits = Double(8 * AdaptiveStream.encode(values, isSigned: isSigned).count)
            let entropy = Entropy.bits(values)
            #expect(bits < 1.03 * entropy, "\(bits / entropy) of the entropy")
        }
    }

    @Test("what the text does not allow is refused")
    func refusals() {
        let stream = AdaptiveStream.encode([5, -3, 200, 0, 1], isSigned: true)
        func refusal(_ stream: [UInt8]) -> String? {
            guard case .failure(let error) = decode(stream, count: 5, isSigned: true) else { return nil }
            return error.reason
        }
        #expect(refusal(stream) == nil)
        #expect(refusal(stream + [0]) == "an adaptive stream ends with a byte 0")
        #expect(refusal(stream + [1, 1, 1, 1]) == "bytes are left over after an adaptive stream")
    }

    @Test("noise is refused or read as the text says", arguments: [true, false])
    func noise(isSigned: Bool) {
        var generator = SeededGenerator(seed: 6)
        for round in 0..<300 {
            var stream = generator.bytes(generator.below(60))
            if round % 3 == 0 { stream = (0..<stream.count).map { _ in 255 } }
            let count = generator.below(200)
            var slow = SlowAdaptive(stream)
            let expected = (0..<count).map { _ in Int32(slow.integer(isSigned: isSigned)) }
            switch decode(stream, count: count, isSigned: isSigned) {
            case .success(let values):
                #expect(values == expected && stream.last != 0 && slow.position >= stream.count)
            case .failure: #expect(stream.last == 0 || slow.position < stream.count)
            }
        }
    }
}
