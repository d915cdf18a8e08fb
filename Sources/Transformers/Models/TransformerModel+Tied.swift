extension TransformerModel {
    /// The name of the table of embeddings, if it is the last layer's weight too.
    package var tiedTable: String? {
        linears.contains { $0.weight == embedding.tokens.name } ? embedding.tokens.name : nil
    }
}
