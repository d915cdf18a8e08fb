import DeltaCodecs
import TestSupport
import Testing

@Suite("Bit streams and LEB128 (section 2)")
struct BitStreamTests {
    @Test("fields fill bytes from the lowest bit")
    func order() {
        var writer = BitWriter()
        writer.write(0b1, bits: 1)
        writer.write(0b0110, bits: 4)
        writer.write(0x1FF, bits: 9)
        #expect(writer.finished() == [0b1110_1101, 0b0011_1111])
    }

    @Test("fields of all widths come back")
    func roundTrip() {
        var generator = SeededGenerator(seed: 1)
        let fields = (0..<500).map { _ in
            let bits = generator.below(33)
            return (UInt32(truncatingIfNeeded: generator.next()) & UInt32((UInt64(1) << UInt64(bits)) - 1), bits)
        }
        var writer = BitWriter()
        for (value, bits) in fields { writer.write(value, bits: bits) }
        let bytes = writer.finished()
        #expect(bytes.count == (fields.reduce(0) { $0 + $1.1 } + 7) / 8)
        var reader = BitReader(([7, 7] + bytes)[2...])
        for (value, bits) in fields { #expect(reader.read(bits) == value) }
        #expect(reader.isAtEnd)
        #expect(reader.read(8) == nil)
    }

    @Test("set bits that fill the last byte, and bytes that are left, are not the end")
    func padding() {
        var reader = BitReader([0b0000_0111])
        #expect(reader.read(3) == 7)
        #expect(reader.isAtEnd)
        reader = BitReader([0b1000_0111])
        #expect(reader.read(3) == 7)
        #expect(!reader.isAtEnd)
        reader = BitReader([0b0000_0111, 0])
        #expect(reader.read(3) == 7)
        #expect(!reader.isAtEnd)
    }

    private func leb(_ bytes: [UInt8], at start: Int = 0) -> (value: Int?, position: Int) {
        var position = start
        let value = unsafe bytes.withUnsafeBytes { unsafe LEB128.read($0, at: &position) }
        return (value, position)
    }

    @Test(
        "LEB128: known values",
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (300, [0xAC, 2]), (16_383, [0xFF, 0x7F]),
            (16_384, [0x80, 0x80, 1]), (4_294_967_295, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        ] as [(Int, [UInt8])])
    func values(value: Int, stored: [UInt8]) {
        var bytes: [UInt8] = [9]
        LEB128.append(value, to: &bytes)
        #expect(bytes == [9] + stored)
        let (found, position) = leb(bytes + [0xFF], at: 1)
        #expect(found == value && position == bytes.count)
    }

    @Test(
        "LEB128: superfluous groups, values from 2^32 on, six bytes and early ends are refused",
        arguments: [
            [], [0x80], [0x80, 0], [0x81, 0x80, 0], [0x80, 0x80, 0x80, 0x80, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0x10],
            [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0x80, 0x80, 0x80, 0x80, 1], [0xFF, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]])
    func refused(bytes: [UInt8]) { #expect(leb(bytes).value == nil) }
}
