//! A fused projection with its low-rank side paths, forward and backward.

use super::Network;
use super::gradient::Gradient;
use super::packed::Projection;
use crate::lora::Site;
use kernels::matmul::{Mat, MatMut, Write};

impl Network<'_> {
    fn sites(&self, layer: usize, projection: Projection) -> impl Iterator<Item = &Site> {
        let sites = self.adapter.iter().flat_map(move |a| a.sites[layer].iter());
        sites.filter(move |site| projection.targets().contains(&site.target))
    }

    /// `y = x W^T (+ y)`, and for every adapter on a part of it `y[:, its columns] += (scale * x A^T) B^T`. Leaves each
    /// `scale * x A^T`, `[n, rank]`, in `low`, one after the other.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn project(
        &self,
        layer: usize,
        projection: Projection,
        y: &mut [f32],
        x: &[f32],
        n: usize,
        write: Write,
        low: &mut [f32],
    ) {
        let (_, output, input) = projection.place(self.config, &self.weights.layout.layers[layer]);
        let w = self.projection(layer, projection);
        let from = Mat::new(x, n, input);
        let shared = self.threads > 1 || self.adapter.is_none();
        if shared {
            self.products.linear_on(self.threads, MatMut::new(y, n, output), from, w, 1.0, write);
        }
        let Some(adapter) = self.adapter else { return };
        let (rank, scale) = (adapter.shape.rank, adapter.scale());
        self.products.with_input(from, |x| {
            if !shared {
                x.linear(MatMut::new(y, n, output), w, 1.0, write);
            }
            for (site, low) in self.sites(layer, projection).zip(low.chunks_exact_mut(n * rank)) {
                let a = Mat::new(&adapter.flat[site.a.clone()], rank, input);
                x.linear(MatMut::new(low, n, rank), a, scale, Write::Set);
            }
        });
        for (site, low) in self.sites(layer, projection).zip(low.chunks_exact(n * rank)) {
            let (_, columns) = site.target.widths(self.config);
            let b = Mat::new(&adapter.flat[site.b.clone()], columns, rank);
            let y = MatMut::strided(&mut y[site.target.column(self.config)..], n, columns, output);
            self.products.linear(y, Mat::new(low, n, rank), b, 1.0, Write::Add);
        }
    }

    /// The backward pass of [`Network::project`]: sets `dx`, the gradient of `x`, from `dy`, that of `y`, if anything
    /// needs it, and adds the gradients of the parameters that are trained. `low` is what the forward pass left there.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn project_backward(
        &self,
        layer: usize,
        projection: Projection,
        gradient: &mut Gradient,
        mut dx: Option<&mut [f32]>,
        dy: &[f32],
        x: &[f32],
        n: usize,
        low: &[f32],
        d_low: &mut [f32],
    ) {
        let (range, output, input) = projection.place(self.config, &self.weights.layout.layers[layer]);
        let (whole_dy, x) = (Mat::new(dy, n, output), Mat::new(x, n, input));
        let w = self.projection(layer, projection);
        if let Some(dx) = &mut dx {
            self.products.linear_input(MatMut::new(dx, n, input), whole_dy, w, 1.0, Write::Set);
        }
        gradient.add(range, |dw| {
            self.products.linear_weight(MatMut::new(dw, output, input), whole_dy, x, 1.0, Write::Add);
        });
        let (Some(adapter), Gradient::Lora(gradient)) = (self.adapter, gradient) else { return };
        let (rank, scale) = (adapter.shape.rank, adapter.scale());
        let lows = low.chunks_exact(n * rank).zip(d_low.chunks_exact_mut(n * rank));
        for (site, (low, d_low)) in self.sites(layer, projection).zip(lows) {
            let (_, columns) = site.target.widths(self.config);
            let b = Mat::new(&adapter.flat[site.b.clone()], columns, rank);
            let dy = Mat::strided(&dy[site.target.column(self.config)..], n, columns, output);
            let d_b = MatMut::new(&mut gradient[site.b.clone()], columns, rank);
            self.products.linear_weight(d_b, dy, Mat::new(low, n, rank), 1.0, Write::Add);
            self.products.linear_input(MatMut::new(d_low, n, rank), dy, b, scale, Write::Set);
        }
        self.products.with_input_columns(x, |x| {
            for (site, d_low) in self.sites(layer, projection).zip(d_low.chunks_exact(n * rank)) {
                let d_a = MatMut::new(&mut gradient[site.a.clone()], rank, input);
                x.linear_weight(d_a, Mat::new(d_low, n, rank), 1.0, Write::Add);
            }
        });
        let Some(dx) = dx else { return };
        for (site, d_low) in self.sites(layer, projection).zip(d_low.chunks_exact(n * rank)) {
            let a = Mat::new(&adapter.flat[site.a.clone()], rank, input);
            let dx = MatMut::new(dx, n, input);
            self.products.linear_input(dx, Mat::new(d_low, n, rank), a, 1.0, Write::Add);
        }
    }
}
