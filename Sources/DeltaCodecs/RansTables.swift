internal import CSiltKernels
package import TensorTypes

/// Tables in the form that the encoder's loop reads: 256 symbols for each row.
package final class EncodingTables: Sendable {
    private let symbols: [silt_encode_symbol]

    package init(_ tables: [FrequencyTable]) {
        var symbols = [silt_encode_symbol](repeating: silt_encode_symbol(), count: 256 * tables.count)
        unsafe symbols.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for (row, table) in tables.enumerated() {
                unsafe silt_encode_table(table.frequencies, start + 256 * row)
            }
        }
        self.symbols = symbols
    }

    /// Encodes `count` symbols backwards, the last byte before `end`; returns the number of bytes.
    ///
    /// `rows` names each symbol's table; nil: all have table `row`.
    package func encode(
        _ input: UnsafePointer<UInt8>, rows: UnsafePointer<UInt8>?, row: Int = 0, count: Int, lanes: Int,
        end: UnsafeMutablePointer<UInt8>, level: KernelLevel = .best
    ) -> Int {
        unsafe symbols.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return unsafe silt_rans_encode(
                level.rawValue, input, rows, count, UInt32(lanes), start + 256 * row, end)
        }
    }
}

/// Tables in the form that the decoder's loop reads: 4,096 slots for each row.
package final class DecodingTables: @unchecked Sendable {
    private let slots: ByteBuffer

    package init(_ tables: [FrequencyTable]) {
        slots = ByteBuffer(capacity: 4 * FrequencyTable.total * tables.count)
        let start = unsafe slots.start.assumingMemoryBound(to: UInt32.self)
        for (row, table) in tables.enumerated() {
            unsafe silt_decode_table(table.frequencies, start + FrequencyTable.total * row)
        }
    }

    /// The slots of table `row` and of those after it.
    ///
    /// Valid while this object lives.
    package func slots(row: Int = 0) -> UnsafePointer<UInt32> {
        unsafe UnsafePointer(slots.start.assumingMemoryBound(to: UInt32.self) + FrequencyTable.total * row)
    }
}

/// Facts of Formats/Silt.md section 6 that codecs share.
package enum Rans {
    /// Lanes of a stream of `count` symbols.
    package static func lanes(for count: Int) -> Int {
        count >= Int(SILT_LANES_FROM) ? Int(SILT_LANES) : 1
    }

    /// What a decoder's result says, as the end of a sentence.
    package static func reason(_ status: Int32) -> String {
        switch Int(status) {
        case Int(SILT_WORDS_SHORT): "its coded symbols end early"
        case Int(SILT_STATE_LOW): "a lane begins below 65,536"
        case Int(SILT_STATE_END): "a lane does not end at 65,536"
        case Int(SILT_WORDS_LEFT): "coded words are left over"
        case Int(SILT_RAW_SHORT): "its raw bits end early"
        case Int(SILT_ENDS_ZERO): "an adaptive stream ends with a byte 0"
        case Int(SILT_BYTES_LEFT): "bytes are left over after an adaptive stream"
        default: "raw bits are left over"
        }
    }
}
