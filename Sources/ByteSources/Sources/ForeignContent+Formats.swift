/// The formats in which the field keeps weights, and those that files are wrapped in.
extension ForeignContent {
    private struct Signature {
        let offset: Int
        let bytes: [UInt8]
        let content: ForeignContent

        init(_ bytes: [UInt8], at offset: Int = 0, _ what: String, _ advice: String) {
            self.offset = offset
            self.bytes = bytes
            content = ForeignContent(what, advice)
        }

        init(_ text: String, at offset: Int = 0, _ what: String, _ advice: String) {
            self.init(Array(text.utf8), at: offset, what, advice)
        }
    }

    private static let unpacked = "unpack it first, and give what is inside"
    private static let gguf = "give the safetensors checkpoint that it was made from: GGUF files cannot be packed"
    private static let torch =
        "convert it to safetensors: load it with transformers and save it with save_pretrained, or save what torch.load gives with safetensors.torch.save_file"
    private static let converted =
        "convert it to safetensors: load it with transformers and save it with save_pretrained"
    private static let onnx = "give the safetensors checkpoint that it was exported from"

    private static let signatures = [
        Signature("GGUF", "a GGUF file (llama.cpp)", gguf),
        Signature("lmgg", "a GGML file (llama.cpp)", gguf), Signature("ggml", "a GGML file (llama.cpp)", gguf),
        Signature("fmgg", "a GGML file (llama.cpp)", gguf), Signature("tjgg", "a GGML file (llama.cpp)", gguf),
        Signature([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], "an HDF5 file (Keras, TensorFlow)", converted),
        Signature([0x93] + Array("NUMPY".utf8), "a NumPy array", "save it with safetensors.numpy.save_file"),
        Signature("TFL3", at: 4, "a TensorFlow Lite model", onnx),
        Signature([0x1F, 0x8B], "a gzip archive", unpacked), Signature("BZh", "a bzip2 archive", unpacked),
        Signature([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "an xz archive", unpacked),
        Signature([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive", unpacked),
        Signature([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive", unpacked),
        Signature("Rar!", "a RAR archive", unpacked), Signature("ustar", at: 257, "a tar archive", unpacked),
    ]

    /// What a format's first bytes say.
    static func signed(_ start: [UInt8]) -> ForeignContent? {
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return zip(start) }
        return signatures.first { start.dropFirst($0.offset).starts(with: $0.bytes) }?.content
    }

    /// torch.save and numpy.savez write zip archives; the names of the first members tell.
    private static func zip(_ start: [UInt8]) -> ForeignContent {
        let text = String(decoding: start, as: UTF8.self)
        if text.contains(".npy") {
            return ForeignContent("an archive of NumPy arrays", "save them with safetensors.numpy.save_file")
        }
        let isTorch = text.contains("data.pkl") || text.contains("archive/")
        return ForeignContent(
            isTorch ? "a PyTorch file (torch.save)" : "a zip archive, perhaps a PyTorch file (torch.save)", torch)
    }

    /// Formats without a signature, by how their first values are written.
    static func serialized(_ start: [UInt8]) -> ForeignContent? {
        guard start.count >= 16 else { return nil }
        // A safetensors file may begin with any byte; six zeros follow two of the length of a short header.
        let isShortLength = start[2..<8].allSatisfy { $0 == 0 }
        if start[0] == 0x80, (2...5).contains(start[1]), !isShortLength {
            return ForeignContent("a pickle, perhaps a PyTorch file (torch.save)", torch)
        }
        // msgpack: a map whose first key is a short string of letters.
        let key = start[0] == 0xDE ? 3 : 1
        if (0x81...0x8F).contains(start[0]) || start[0] == 0xDE, (0xA1...0xBF).contains(start[key]),
            isName(start.dropFirst(key + 1).prefix(Int(start[key] & 0x1F)))
        {
            return ForeignContent("a msgpack file (Flax)", converted)
        }
        // A protocol buffer: a version (field 1), then the producer's name (field 2).
        if start[0] == 0x08, (1...32).contains(start[1]), start[2] == 0x12, (1...64).contains(start[3]),
            isName(start.dropFirst(4).prefix(Int(start[3])))
        {
            return ForeignContent("an ONNX model", onnx)
        }
        return nil
    }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (0x20..<0x7F).contains($0) }
    }
}
