internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// A factor of a low-rank update, as a matrix of `rank` rows and `extent` columns.
struct AdapterFactor: Sendable {
    /// The name of the adapter's tensor.
    let name: String
    /// Its dtype (F32, F16 or BF16) and shape in the adapter's file.
    let info: TensorInfo
    /// Its bytes, counted from the start of the file's data.
    let range: Range<Int>
    let file: SafetensorsFile
    let rank: Int
    let extent: Int
    /// Whether the file has the transpose: `extent` rows and `rank` columns.
    let isTransposed: Bool

    /// The patterns of the matrix, row by row, in its dtype.
    ///
    /// At most 64 MiB (`LowRankUpdate.limit`). Throws `header` if a value is not finite, `io` or `changed`.
    func patterns() throws(SiltError) -> [UInt8] {
        let (start, end) = (file.header.dataStart + range.lowerBound, file.header.dataStart + range.upperBound)
        let stored: [UInt8]
        do throws(SiltError) {
            stored = try file.input.bytes(start..<end)
        } catch {
            throw error.at(tensor: name)
        }
        let width = info.dtype.elementBytes
        if let index = FloatPatterns.firstNotFinite(stored, info.dtype) {
            throw SiltError(
                .header, "value \(index) of the factor is infinite or NaN", file: file.path, tensor: name,
                advice: "the adapter is damaged, or its training diverged")
        }
        guard isTransposed else { return stored }
        return FloatPatterns.transposed(stored, rows: extent, columns: rank, width: width)
    }
}
