//! The low-rank side path of a fused projection, forward and backward.

use super::Network;
use crate::lora::{Site, Target};
use kernels::matmul::{Mat, MatMut, Write};

impl Network<'_> {
    fn sites<'s>(&'s self, layer: usize, targets: &'s [Target]) -> impl Iterator<Item = &'s Site> {
        self.adapter.iter().flat_map(move |a| a.sites[layer].iter()).filter(|s| targets.contains(&s.target))
    }

    /// `y[:, columns of target] += scale * (x A^T) B^T` for each target present; rows of `y` are `y_width` wide.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn lora_forward(
        &self,
        layer: usize,
        targets: &[Target],
        y: &mut [f32],
        y_width: usize,
        x: &[f32],
        n: usize,
        low: &mut [f32],
    ) {
        let Some(adapter) = self.adapter else { return };
        let rank = adapter.shape.rank;
        for site in self.sites(layer, targets) {
            let (input, output) = site.target.widths(self.config);
            let a = Mat::new(&adapter.flat[site.a.clone()], rank, input);
            let b = Mat::new(&adapter.flat[site.b.clone()], output, rank);
            self.products.linear(MatMut::new(low, n, rank), Mat::new(x, n, input), a, 1.0, Write::Set);
            let y = MatMut::strided(&mut y[site.target.column(self.config)..], n, output, y_width);
            self.products.linear(y, Mat::new(low, n, rank), b, adapter.scale(), Write::Add);
        }
    }

    /// Adds the gradients of `A` and `B` to `gradient`, and the input's gradient through them to `dx`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn lora_backward(
        &self,
        layer: usize,
        targets: &[Target],
        gradient: &mut [f32],
        dx: &mut [f32],
        dy: &[f32],
        dy_width: usize,
        x: &[f32],
        n: usize,
        low: &mut [f32],
        d_low: &mut [f32],
    ) {
        let Some(adapter) = self.adapter else { return };
        let (rank, scale) = (adapter.shape.rank, adapter.scale());
        for site in self.sites(layer, targets) {
            let (input, output) = site.target.widths(self.config);
            let a = Mat::new(&adapter.flat[site.a.clone()], rank, input);
            let b = Mat::new(&adapter.flat[site.b.clone()], output, rank);
            let x = Mat::new(x, n, input);
            let dy = Mat::strided(&dy[site.target.column(self.config)..], n, output, dy_width);
            self.products.linear(MatMut::new(low, n, rank), x, a, 1.0, Write::Set);
            let d_b = MatMut::new(&mut gradient[site.b.clone()], output, rank);
            self.products.linear_weight(d_b, dy, Mat::new(low, n, rank), scale, Write::Add);
            self.products.linear_input(MatMut::new(d_low, n, rank), dy, b, scale, Write::Set);
            let d_a = MatMut::new(&mut gradient[site.a.clone()], rank, input);
            self.products.linear_weight(d_a, Mat::new(d_low, n, rank), x, 1.0, Write::Add);
            self.products.linear_input(
                MatMut::new(dx, n, input),
                Mat::new(d_low, n, rank),
                a,
                1.0,
                Write::Add,
            );
        }
    }
}
