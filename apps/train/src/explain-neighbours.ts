export interface Placed {
  caseId: string;
  label: 0 | 1;
  embedding: Float32Array;
}

/** The `count` training cases whose embedding has the largest cosine similarity, nearest first. */
export function nearestCases(embedding: Float32Array, train: readonly Placed[], count: number) {
  return train
    .map((each) => ({
      caseLabel: each.caseId,
      label: each.label,
      similarity: cosineSimilarity(embedding, each.embedding),
    }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, count);
}

/** 0 where an embedding has no direction. */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
    ab += a[i]! * b[i]!;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
