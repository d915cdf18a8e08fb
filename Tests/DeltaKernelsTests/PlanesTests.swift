import DeltaKernels
import TensorTypes
import TestSupport
import Testing

@Suite("Byte planes (section 8)")
struct PlanesTests {
    /// Elements, their base, and how many there are.
    private func data(_ width: Int, _ count: Int) -> (data: [UInt8], base: [UInt8]) {
        var generator = SeededGenerator(seed: UInt64(1_000 * width + count))
        return (generator.bytes(width * count), generator.bytes(width * count))
    }

    /// Plane j holds byte j of each element.
    private func planes(_ width: Int, _ data: [UInt8], xor base: [UInt8]?) -> [UInt8] {
        let count = data.count / width
        return (0..<width).flatMap { plane in
            (0..<count).map { data[$0 * width + plane] ^ (base?[$0 * width + plane] ?? 0) }
        }
    }

    private static let counts = [0, 1, 15, 31, 32, 33, 64, 257, 1_000]

    @Test("split as the text says, and merged to what was split", arguments: [1, 2, 4, 8], counts)
    func roundTrip(width: Int, count: Int) {
        let (data, base) = data(width, count)
        let (source, other) = (ByteBuffer(data), ByteBuffer(base))
        let (split, merged) = (ByteBuffer(capacity: data.count), ByteBuffer(capacity: data.count))
        for usesBase in [false, true] {
            let pointer = unsafe usesBase ? UnsafeRawPointer(other.start) : nil
            unsafe Planes.split(width: width, source.start, base: pointer, count: count, into: split.start)
            #expect(split.bytes(data.count) == planes(width, data, xor: usesBase ? base : nil))
            unsafe Planes.merge(width: width, split.start, base: pointer, count: count, into: merged.start)
            #expect(merged.bytes(data.count) == data)
        }
        // In place of the base.
        unsafe Planes.merge(width: width, split.start, base: other.start, count: count, into: other.start)
        #expect(other.bytes(data.count) == data)
    }

    @Test("counted, on top of what was counted before", arguments: [1, 2, 4, 8], [0, 1, 33, 1_000])
    func counting(width: Int, count: Int) {
        let (data, base) = data(width, count)
        let (source, other) = (ByteBuffer(data), ByteBuffer(base))
        for usesBase in [false, true] {
            let pointer = unsafe usesBase ? UnsafeRawPointer(other.start) : nil
            var expected = [[UInt64]](repeating: [UInt64](repeating: 7, count: 256), count: width)
            var found = expected
            for (index, byte) in planes(width, data, xor: usesBase ? base : nil).enumerated() {
                expected[index / max(count, 1)][Int(byte)] += 1
            }
            unsafe Planes.count(width: width, source.start, base: pointer, count: count, into: &found)
            #expect(found == expected)
        }
    }

    @Test("xor changes what it must and no byte more", arguments: [0, 1, 31, 32, 33, 1_000])
    func xor(count: Int) {
        let (data, base) = data(1, count)
        let (target, other) = (ByteBuffer(data + [0xAB]), ByteBuffer(base))
        unsafe Planes.xor(target.start, other.start, bytes: count)
        #expect(target.bytes(count + 1) == zip(data, base).map { $0 ^ $1 } + [0xAB])
    }
}
